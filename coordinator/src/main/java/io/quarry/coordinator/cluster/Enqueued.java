package io.quarry.coordinator.cluster;

/** What became of a fix offered to the queue. */
public enum Enqueued {
  QUEUED,
  ALREADY_QUEUED,
  /** The queue holds {@link FixQueue#QUEUED_FIXES_MAX}; the caller keeps the fix for later. */
  FULL
}
