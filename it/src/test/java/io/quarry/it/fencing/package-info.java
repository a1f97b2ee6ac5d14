/** Processes that were paused and replaced, and that wake up again. */
@NullMarked
package io.quarry.it.fencing;

import org.jspecify.annotations.NullMarked;
