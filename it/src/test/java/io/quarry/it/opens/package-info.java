/** Who uses images, and how that ends. */
@NullMarked
package io.quarry.it.opens;

import org.jspecify.annotations.NullMarked;
