/** Hosts of an older commit beside hosts of this one. */
@NullMarked
package io.quarry.it.upgrade;

import org.jspecify.annotations.NullMarked;
