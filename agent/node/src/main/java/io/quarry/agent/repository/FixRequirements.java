package io.quarry.agent.repository;

import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.cluster.RepositoryOnHost;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.CopySource;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which repositories a fix needs, and which hosts reach them. */
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

  /** Whether the host reports that it reaches that repository. */
  public static boolean reaches(HostRecord host, String key) {
    RepositoryOnHost there = host.repositories().get(key);
    return there != null && there.healthy();
  }
}
