package io.quarry.agent.fix;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.quarry.common.api.Json;
import io.quarry.common.api.TaskInfo;
import io.quarry.coordinator.cluster.QueueClaim;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The claims that this host holds in the queues, by the key of the fix. */
final class HeldClaims {
  private final Map<String, Held> held = new ConcurrentHashMap<>();

  private record Held(QueueClaim claim, Set<String> needs) {}

  void add(String key, QueueClaim claim) {
    held.put(key, new Held(claim, claim.fix().fix().requires()));
  }

  void remove(String key) {
    held.remove(key);
  }

  /** Keys of the fixes that need one of these repositories. */
  List<String> needing(Set<String> repositoryKeys) {
    return held.entrySet().stream()
        .filter(one -> !Collections.disjoint(one.getValue().needs(), repositoryKeys))
        .map(Map.Entry::getKey)
        .toList();
  }

  void release(String key) {
    Held one = held.get(key);
    if (one != null) {
      one.claim().release();
    }
  }

  /** Shows other hosts how far the fix is. */
  void show(String key, TaskInfo task) {
    Held one = held.get(key);
    if (one != null) {
      try {
        one.claim().progress(Json.MAPPER.writeValueAsString(task));
      } catch (JsonProcessingException e) {
        throw new IllegalStateException("task information cannot be written as JSON", e);
      }
    }
  }
}
