package io.quarry.agent.fix;

import io.quarry.agent.repository.Repository;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.common.model.FixType;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.CopySource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Estimates what a fix will write, from the space that the files take which the fix reads. The
 * estimate reads no data. The estimate may be too high, since upper layers can hide data of lower
 * ones.
 */
public final class WriteEstimate {
  /** This host cannot see the source of the fix. */
  public static final long UNKNOWN = -1;

  private WriteEstimate() {}

  /** Bytes, or {@link #UNKNOWN}; 0 for a fix that moves no data. */
  public static long bytes(
      FixState fix,
      Repository repository,
      RepositoryState state,
      Function<String, Optional<Repository>> repositories)
      throws IOException {
    Volume volume = state.volumes().get(String.valueOf(fix.volumeId()));
    if (volume == null || fix.type() == FixType.CLEAN || !volume.heavy()) {
      return 0;
    }
    if (volume.source() == null) {
      long here = bytes(volume, layers(volume, volume.imageId(), state), repository.storage());
      long elsewhere = elsewhere(volume, state, repositories);
      return elsewhere == UNKNOWN ? UNKNOWN : Math.min(volume.size(), here + elsewhere);
    }
    Optional<Repository> holder = repositories.apply(volume.source().repositoryKey());
    if (holder.isEmpty()) {
      return UNKNOWN;
    }
    RepositoryState there = holder.get().state().repository();
    return bytes(volume, layers(volume, volume.source().imageId(), there), holder.get().storage());
  }

  /** The size of the data that an image still reads from another repository and will copy. */
  private static long elsewhere(
      Volume volume, RepositoryState state, Function<String, Optional<Repository>> repositories)
      throws IOException {
    Image image = state.images().get(volume.imageId());
    CopySource source = image == null ? null : state.layersOf(image).elsewhere();
    if (source == null || volume.parentImageId() != null) {
      return 0;
    }
    if (repositories.apply(source.repositoryKey()).isEmpty()) {
      return UNKNOWN;
    }
    List<Chains.Link> links;
    try {
      links = new Chains(repositories).elsewhere(source);
    } catch (IOException e) {
      // The source repository may have released the pin since the state was read.
      return UNKNOWN;
    }
    long sum = 0;
    for (Chains.Link link : links) {
      sum += link.layer().allocated();
    }
    return sum;
  }

  /** The volumes whose data goes into this one, the top first. */
  public static List<Volume> layers(Volume volume, String imageId, RepositoryState state) {
    List<Volume> layers = new ArrayList<>();
    Image top = state.images().get(imageId);
    for (Image layer : top == null ? List.<Image>of() : state.chainOf(top)) {
      if (layer.id().equals(volume.parentImageId())) {
        break;
      }
      layers.add(state.volumeOf(layer));
    }
    return layers;
  }

  private static long bytes(Volume volume, List<Volume> layers, RepositoryStorage storage)
      throws IOException {
    return Math.min(volume.size(), allocated(layers, storage));
  }

  /** The space that the files of these volumes take. */
  public static long allocated(List<Volume> volumes, RepositoryStorage storage) throws IOException {
    long sum = 0;
    for (Volume volume : volumes) {
      sum += volume.file() == null ? 0 : storage.volumes().allocated(volume.file());
    }
    return sum;
  }
}
