package io.quarry.agent.repository;

import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.cluster.RepositoryOnHost;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.CopySource;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which repositories a fix needs, and which hosts live and reach them. */
public final class FixRequirements {
  private FixRequirements() {}

  /** Keys of the repositories that a host must have connected to do the fix. */
  public static Set<String> required(FixState fix, RepositoryState state, String key) {
    Set<String> keys = new HashSet<>(Set.of(key));
    @Nullable Volume volume = fix.volumeId() == null ? null : state.volumes().get(fix.volumeId());
    if (volume == null || !fix.heavy()) {
      return keys;
    }
    if (volume.source() != null) {
      keys.add(volume.source().repositoryKey());
    }
    Image image = volume.replaces() == null ? null : state.images().get(volume.imageId());
    CopySource elsewhere = image == null ? null : state.layersOf(image).elsewhere();
    if (elsewhere != null) {
      keys.add(elsewhere.repositoryKey());
    }
    return keys;
  }

  /**
   * The live hosts that reach a repository and are not drained.
   *
   * @param self this host, which knows itself whether it is able
   */
  static Set<Worker> able(List<HostRecord> live, Worker self, boolean selfAble, String key) {
    Set<Worker> able = new HashSet<>();
    if (selfAble) {
      able.add(self);
    }
    for (HostRecord host : live) {
      boolean other = !host.incarnation().equals(self.incarnation());
      if (other && !host.drained() && reaches(host, key)) {
        able.add(new Worker(host.hostId(), host.incarnation()));
      }
    }
    return able;
  }

  /** As the log and canaries name one life of a host. */
  static String writerOf(String hostId, String incarnation) {
    return hostId + "@" + incarnation;
  }

  static boolean isLive(List<HostRecord> live, String writer) {
    return live.stream()
        .anyMatch(host -> writerOf(host.hostId(), host.incarnation()).equals(writer));
  }

  /** Whether the host says that it reaches that repository. */
  public static boolean reaches(HostRecord host, String key) {
    RepositoryOnHost there = host.repositories().get(key);
    return there != null && there.healthy();
  }
}
