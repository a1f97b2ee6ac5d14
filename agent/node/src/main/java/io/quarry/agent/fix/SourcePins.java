package io.quarry.agent.fix;

import io.quarry.agent.repository.Repository;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.plan.ExternalReferences;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Unpin;
import io.quarry.coordinator.plan.Volume.CopySource;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Releases pins in other repositories when the work that needed them is done or cancelled. */
public final class SourcePins {
  private static final Logger LOG = LoggerFactory.getLogger(SourcePins.class);

  private SourcePins() {}

  /**
   * When a release fails, or a source is not connected here, its pin is stale, and the SDM of the
   * source removes it.
   *
   * @param repositories those connected here, by key
   * @param sources what was needed until now
   * @param state of the repository that needed the sources, as it is now
   */
  public static void release(
      Function<String, Optional<Repository>> repositories,
      Collection<CopySource> sources,
      RepositoryState state) {
    if (sources.isEmpty()) {
      return;
    }
    Set<String> needed = ExternalReferences.pinIds(state);
    for (CopySource source : sources) {
      if (!needed.contains(source.pinId())) {
        repositories
            .apply(source.repositoryKey())
            .ifPresent(holder -> release(holder, source.pinId()));
      }
    }
  }

  private static void release(Repository holder, String pinId) {
    try {
      holder.commit(UUID.randomUUID().toString(), new Unpin(pinId));
    } catch (StorageException e) {
      LOG.warn("The pin {} stays for now: {}", pinId, e.getMessage());
    }
  }
}
