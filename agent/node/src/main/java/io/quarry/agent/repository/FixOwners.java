package io.quarry.agent.repository;

import io.quarry.common.model.FixType;
import io.quarry.coordinator.cluster.ObservedClaim;
import io.quarry.coordinator.cluster.QueuedFix;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.Hold;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which host works on which fix, as far as this host sees. The log names the host of a light fix,
 * the queue that of a heavy one.
 */
public final class FixOwners {
  private final Map<String, String> claimants;

  private FixOwners(Map<String, String> claimants) {
    this.claimants = claimants;
  }

  public static FixOwners of(ConnectedRepository repository) {
    Map<String, ObservedClaim> claims = repository.queue().claims();
    Map<String, String> claimants = new HashMap<>();
    for (QueuedFix queued : repository.queue().entries()) {
      ObservedClaim claim = claims.get(queued.name());
      if (claim != null) {
        claimants.put(queued.fix().fixId(), claim.claimant().hostId());
      }
    }
    return new FixOwners(claimants);
  }

  /** Null when no host works on the fix. */
  public @Nullable String hostOf(FixState fix) {
    return fix.worker() != null ? fix.worker().hostId() : claimants.get(fix.id());
  }

  /** Whether the fix may wait because the storage has no space for it. */
  public boolean mayWaitForSpace(FixState fix) {
    boolean makes = fix.heavy() ? hostOf(fix) == null : fix.type() == FixType.MEND;
    return makes && fix.runnable() && !fix.parked();
  }

  /**
   * The state of the fix as callers see it.
   *
   * @param noSpace whether the fix would not fit on the storage
   */
  public String stateOf(FixState fix, boolean noSpace) {
    return switch (Hold.of(fix)) {
      case Hold.Parked parked -> "parked";
      case Hold.Paused paused -> "paused";
      case Hold.Unrequested unrequested -> "waiting";
      case Hold.Stopped stopped -> "waiting";
      case null -> stateOfFree(fix, noSpace);
    };
  }

  private String stateOfFree(FixState fix, boolean noSpace) {
    if (noSpace) {
      return "noSpace";
    }
    if (hostOf(fix) != null) {
      return "running";
    }
    return fix.failures() > 0 ? "retrying" : "queued";
  }
}
