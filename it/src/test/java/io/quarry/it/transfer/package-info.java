/** Images on their way in and out over HTTP. */
@NullMarked
package io.quarry.it.transfer;

import org.jspecify.annotations.NullMarked;
