/** The command line, one file per command. */
@NullMarked
package io.quarry.agent.cli;

import org.jspecify.annotations.NullMarked;
