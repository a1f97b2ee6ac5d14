/** Virtual machines that start from Quarry's images. */
@NullMarked
package io.quarry.it.guest;

import org.jspecify.annotations.NullMarked;
