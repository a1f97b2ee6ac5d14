package io.quarry.coordinator.log;

import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.RecentRequests;
import java.util.HashSet;
import java.util.Set;

/** Everything a state holds, comparable whatever the order in which it came about. */
public record Fingerprint(Position position, Set<Change> changes, RecentRequests.Saved requests) {
  public static Fingerprint of(LogState state) {
    return new Fingerprint(
        state.position(),
        new HashSet<>(state.repository().asChanges()),
        state.repository().requests().save());
  }
}
