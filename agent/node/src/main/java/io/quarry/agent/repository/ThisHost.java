package io.quarry.agent.repository;

import io.quarry.coordinator.cluster.Booted;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.HostBoot;
import org.jspecify.annotations.Nullable;

/**
 * The identity of this agent.
 *
 * @param worker the host's name, and this life of its agent
 * @param booted null when the kernel does not say in which boot the agent runs
 */
public record ThisHost(Worker worker, @Nullable Booted booted) {
  public String id() {
    return worker.hostId();
  }

  public @Nullable HostBoot boot() {
    return booted == null ? null : booted.boot();
  }
}
