package io.quarry.common.api;

/**
 * @param fixId names the fix in {@code listFixes} and in tasks
 */
public record FixQueued(String fixId, long commit) {}
