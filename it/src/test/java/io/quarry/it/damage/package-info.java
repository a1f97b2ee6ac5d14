/** Storages that lost or changed something. */
@NullMarked
package io.quarry.it.damage;

import org.jspecify.annotations.NullMarked;
