package io.quarry.coordinator.log;

import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.RecentRequests;
import java.util.HashSet;
import java.util.Set;

/** The content of a state, comparable in whatever order its changes came. */
public record Fingerprint(Position position, Set<Change> changes, RecentRequests.Saved requests) {
  public static Fingerprint of(LogState state) {
    return new Fingerprint(
        state.position(),
        new HashSet<>(state.repository().asChanges()),
        state.repository().requests().save());
  }
}
