/** Repositories on the logical volumes of a real LVM, in the lab's machines. */
@NullMarked
package io.quarry.it.clvm;

import org.jspecify.annotations.NullMarked;
