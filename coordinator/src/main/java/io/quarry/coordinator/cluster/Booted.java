package io.quarry.coordinator.cluster;

import io.quarry.coordinator.plan.HostBoot;
import java.time.Instant;

/**
 * The boot in which a host runs.
 *
 * @param at when the host's kernel started, by the host's clock
 */
public record Booted(HostBoot boot, Instant at) {}
