/** A cluster in a box and its tests: one scenario per class. */
@NullMarked
package io.quarry.it;

import org.jspecify.annotations.NullMarked;
