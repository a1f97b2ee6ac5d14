package io.quarry.coordinator.plan;

import io.quarry.coordinator.plan.Volume.CopySource;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The images of other repositories that this one needs, each under its pin. Such images are sources
 * of unfinished copies, bases of overlays that are not whole here, and bases of open chains.
 */
public final class ExternalReferences {
  private final RepositoryState state;
  private final Set<CopySource> all = new HashSet<>();

  private ExternalReferences(RepositoryState state) {
    this.state = state;
  }

  /** All borrowed images; any other pin of this repository may be released. */
  public static Set<CopySource> by(RepositoryState state) {
    ExternalReferences borrowed = new ExternalReferences(state);
    state.volumes().values().forEach(borrowed::volume);
    state.opens().values().forEach(open -> borrowed.add(open.baseSource()));
    return borrowed.all;
  }

  public static Set<String> pinIds(RepositoryState state) {
    return by(state).stream().map(CopySource::pinId).collect(Collectors.toUnmodifiableSet());
  }

  private void volume(Volume volume) {
    if (volume.stage() == Volume.Stage.INTENDED) {
      add(volume.source());
    }
    if (volume.stage() != Volume.Stage.TOMBSTONED && state.readsElsewhere(volume)) {
      add(volume.baseSource());
    }
  }

  /** One pin may be for a copy and for overlays. */
  private void add(@Nullable CopySource source) {
    if (source != null) {
      all.add(new CopySource(source.repositoryKey(), source.imageId(), source.pinId()));
    }
  }
}
