/** Virtual machines that start from our images. */
@NullMarked
package io.quarry.it.guest;

import org.jspecify.annotations.NullMarked;
