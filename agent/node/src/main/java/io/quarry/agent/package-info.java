/** The agent's configuration and its main, wired by hand. */
@NullMarked
package io.quarry.agent;

import org.jspecify.annotations.NullMarked;
