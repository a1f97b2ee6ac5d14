package io.quarry.common.api;

/**
 * @param hostId whose opens are to end
 * @param dead the caller's word that their users have ended; nothing is done without it
 * @param force whether the word counts although a process is seen that writes
 */
public record CloseOpensRequest(String hostId, boolean dead, boolean force) {}
