/** Storages that come later than the agents that are to use them. */
@NullMarked
package io.quarry.it.mount;

import org.jspecify.annotations.NullMarked;
