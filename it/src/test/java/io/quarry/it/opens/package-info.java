/** Opens of images, and how opens end. */
@NullMarked
package io.quarry.it.opens;

import org.jspecify.annotations.NullMarked;
