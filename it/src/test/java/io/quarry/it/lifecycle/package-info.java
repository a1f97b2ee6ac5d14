/** Images from creation to removal, and the fixes that they need in between. */
@NullMarked
package io.quarry.it.lifecycle;

import org.jspecify.annotations.NullMarked;
