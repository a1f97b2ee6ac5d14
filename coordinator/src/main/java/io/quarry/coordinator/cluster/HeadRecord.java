package io.quarry.coordinator.cluster;

/** The newest known sequence number of a repository's log. A hint: the log itself is the truth. */
record HeadRecord(long sequence) {}
