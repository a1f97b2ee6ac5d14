/** The local cluster itself: what every other scenario stands on. */
@NullMarked
package io.quarry.it.dev;

import org.jspecify.annotations.NullMarked;
