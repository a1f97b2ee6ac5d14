package io.quarry.coordinator.cluster;

import org.jspecify.annotations.Nullable;

/**
 * The newest known sequence number of a repository's log, or the newest known canary of its
 * storage. Hints: the storage is the truth.
 */
record HeadRecord(long sequence, @Nullable Canary canary) {}
