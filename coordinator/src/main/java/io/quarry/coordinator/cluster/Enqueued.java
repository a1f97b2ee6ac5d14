package io.quarry.coordinator.cluster;

/** The outcome of offering a fix to the queue. */
public enum Enqueued {
  QUEUED,
  ALREADY_QUEUED,
  /** The queue holds {@link FixQueue#QUEUED_FIXES_MAX}; the caller keeps the fix for later. */
  FULL
}
