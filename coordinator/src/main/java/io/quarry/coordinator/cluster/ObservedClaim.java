package io.quarry.coordinator.cluster;

import java.time.Instant;
import java.util.Optional;

/**
 * Somebody's claim as the cache has it.
 *
 * @param name of the queued fix it is for
 * @param progress JSON as its owner gave it last
 * @param fence and {@code version} pin down exactly this claim in this state
 */
public record ObservedClaim(
    String name,
    Claimant claimant,
    Instant claimedAt,
    Optional<String> progress,
    int fence,
    int version) {}
