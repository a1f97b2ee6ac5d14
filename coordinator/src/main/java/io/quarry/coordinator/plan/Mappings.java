package io.quarry.coordinator.plan;

import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.pcollections.HashTreePMap;
import org.pcollections.PMap;
import org.pcollections.PSet;

/** Which hosts may have which files mapped. Immutable. */
record Mappings(PMap<String, PMap<String, Mapping>> byFile, Index byHost, int count) {
  static final Mappings NONE = new Mappings(HashTreePMap.empty(), Index.EMPTY, 0);

  @Nullable Mapping of(String file, String hostId) {
    PMap<String, Mapping> hosts = byFile.get(file);
    return hosts == null ? null : hosts.get(hostId);
  }

  Collection<Mapping> of(String file) {
    PMap<String, Mapping> hosts = byFile.get(file);
    return hosts == null ? List.of() : hosts.values();
  }

  PSet<String> filesOf(String hostId) {
    return byHost.of(hostId);
  }

  Mappings plus(Mapping mapping) {
    PMap<String, Mapping> hosts = byFile.get(mapping.file());
    PMap<String, Mapping> known = hosts == null ? HashTreePMap.empty() : hosts;
    return new Mappings(
        byFile.plus(mapping.file(), known.plus(mapping.hostId(), mapping)),
        byHost.plus(mapping.hostId(), mapping.file()),
        known.containsKey(mapping.hostId()) ? count : count + 1);
  }

  Mappings minus(String file, String hostId) {
    PMap<String, Mapping> hosts = byFile.get(file);
    if (hosts == null || !hosts.containsKey(hostId)) {
      return this;
    }
    PMap<String, Mapping> left = hosts.minus(hostId);
    return new Mappings(
        left.isEmpty() ? byFile.minus(file) : byFile.plus(file, left),
        byHost.minus(hostId, file),
        count - 1);
  }
}
