/** Storages that are mounted later than the agents start. */
@NullMarked
package io.quarry.it.mount;

import org.jspecify.annotations.NullMarked;
