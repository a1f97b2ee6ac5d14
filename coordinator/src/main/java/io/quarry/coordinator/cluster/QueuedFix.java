package io.quarry.coordinator.cluster;

/**
 * A fix in the queue.
 *
 * @param name of this queueing: the same fix queued again has another name
 * @param version counts the claims on the fix
 */
public record QueuedFix(String name, int version, FixEntry fix) {}
