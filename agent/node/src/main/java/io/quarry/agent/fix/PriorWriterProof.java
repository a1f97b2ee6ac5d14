package io.quarry.agent.fix;

import io.quarry.coordinator.plan.FixState.Worker;

/** Tells whether an earlier worker is proven to write no more. */
@FunctionalInterface
public interface PriorWriterProof {
  /** True only when that life of that host, with all its children, is certainly over. */
  boolean dead(Worker worker);
}
