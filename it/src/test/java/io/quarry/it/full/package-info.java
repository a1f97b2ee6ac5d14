/** Storages without space. */
@NullMarked
package io.quarry.it.full;

import org.jspecify.annotations.NullMarked;
