package io.quarry.coordinator.cluster;

import java.time.Instant;
import java.util.Optional;

/**
 * A claim of any agent, as the local copy has it.
 *
 * @param name of the queued fix
 * @param progress the newest JSON of the claim's owner
 * @param fence and {@code version} identify exactly this claim in this state
 */
public record ObservedClaim(
    String name,
    Claimant claimant,
    Instant claimedAt,
    Optional<String> progress,
    int fence,
    int version) {}
