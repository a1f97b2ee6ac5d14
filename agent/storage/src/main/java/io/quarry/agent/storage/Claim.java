package io.quarry.agent.storage;

import io.quarry.coordinator.plan.FixState.Worker;
import java.time.Instant;

/**
 * The holder of an epoch.
 *
 * @param worker the host and its life
 */
public record Claim(Worker worker, long epoch, Instant since) {}
