/** Storages that hang, for one host or for all, while everything else goes on. */
@NullMarked
package io.quarry.it.hang;

import org.jspecify.annotations.NullMarked;
