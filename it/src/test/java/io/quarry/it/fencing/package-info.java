/** Processes that were paused, given up and replaced, and wake up again. */
@NullMarked
package io.quarry.it.fencing;

import org.jspecify.annotations.NullMarked;
