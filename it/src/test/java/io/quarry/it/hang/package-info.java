/** Storages that hang, for one host or for all, while all other work continues. */
@NullMarked
package io.quarry.it.hang;

import org.jspecify.annotations.NullMarked;
