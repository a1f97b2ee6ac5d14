/** The format {@code localfs-1.0}: a repository in a directory tree. */
@NullMarked
package io.quarry.agent.storage.directory;

import org.jspecify.annotations.NullMarked;
