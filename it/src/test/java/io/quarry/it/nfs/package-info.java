/** Quarry's storage operations over real NFS, in the lab of virtual machines. */
@NullMarked
package io.quarry.it.nfs;

import org.jspecify.annotations.NullMarked;
