/**
 * The format {@code clvm-1.2}: a repository on two logical volumes of a volume group that many
 * hosts share. No class of this package writes metadata of LVM.
 */
@NullMarked
package io.quarry.agent.storage.clvm;

import org.jspecify.annotations.NullMarked;
