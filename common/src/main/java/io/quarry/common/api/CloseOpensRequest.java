package io.quarry.common.api;

/**
 * @param hostId whose opens are to end
 * @param dead the caller's word that the users of these opens have ended; required
 * @param force whether the caller's word counts although an agent sees a process that writes
 */
public record CloseOpensRequest(String hostId, boolean dead, boolean force) {}
