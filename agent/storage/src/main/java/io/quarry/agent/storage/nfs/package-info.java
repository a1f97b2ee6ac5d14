/** The format {@code nfs-3.4}: a repository in a directory of an NFS server. */
@NullMarked
package io.quarry.agent.storage.nfs;

import org.jspecify.annotations.NullMarked;
