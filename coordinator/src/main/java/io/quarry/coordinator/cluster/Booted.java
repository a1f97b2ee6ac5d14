package io.quarry.coordinator.cluster;

import io.quarry.coordinator.plan.HostBoot;
import java.time.Instant;

/**
 * In which boot a host runs.
 *
 * @param at when its kernel started, by the host's clock
 */
public record Booted(HostBoot boot, Instant at) {}
