/** A cluster in a box and what is asked of it: one scenario per class. */
@NullMarked
package io.quarry.it;

import org.jspecify.annotations.NullMarked;
