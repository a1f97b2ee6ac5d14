/** The local cluster itself, on which every other scenario depends. */
@NullMarked
package io.quarry.it.dev;

import org.jspecify.annotations.NullMarked;
