package io.quarry.coordinator.cluster;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The newest record of each host that was ever seen; beyond a limit the oldest records go. */
final class LastSeen {
  private static final int REMEMBERED_MAX = 1_000;

  private final Map<String, HostRecord> records = new LinkedHashMap<>();

  synchronized void note(HostRecord record) {
    HostRecord known = records.get(record.hostId());
    if (known != null && known.startedAt().isAfter(record.startedAt())) {
      return;
    }
    records.remove(record.hostId());
    records.put(record.hostId(), record);
    if (records.size() > REMEMBERED_MAX) {
      records.remove(records.keySet().iterator().next());
    }
  }

  synchronized Optional<HostRecord> of(String hostId) {
    return Optional.ofNullable(records.get(hostId));
  }
}
