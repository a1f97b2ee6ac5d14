package io.quarry.common.api;

/**
 * @param commit the sequence number of the commit in the repository's log
 */
public record Committed(long commit) {}
