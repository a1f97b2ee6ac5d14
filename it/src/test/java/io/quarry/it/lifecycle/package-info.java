/** Images from their creation to their removal, and the fixes that they need in between. */
@NullMarked
package io.quarry.it.lifecycle;

import org.jspecify.annotations.NullMarked;
