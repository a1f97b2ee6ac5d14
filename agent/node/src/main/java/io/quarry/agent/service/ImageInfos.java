package io.quarry.agent.service;

import io.quarry.agent.repository.SpaceMeter;
import io.quarry.common.api.ImageInfo;
import io.quarry.coordinator.plan.Condition;
import io.quarry.coordinator.plan.Exclusive;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/** Images as callers see them. */
final class ImageInfos {
  private ImageInfos() {}

  /** What a volume takes of the storage. */
  interface Space<E extends Exception> {
    /** Bytes, or {@link SpaceMeter#UNKNOWN}. */
    long of(Volume volume) throws E;
  }

  static <E extends Exception> ImageInfo image(
      RepositoryState state, Image image, Space<E> space, long commit) throws E {
    Volume volume = state.volumeOf(image);
    List<String> dependants =
        state.overlaysOf(image.id()).stream()
            .map(state.volumes()::get)
            .filter(Objects::nonNull)
            .filter(overlay -> overlay.stage() != Volume.Stage.TOMBSTONED)
            .map(Volume::imageId)
            .sorted()
            .toList();
    return new ImageInfo(
        image.id(),
        image.kind(),
        image.visible(),
        state.stateOf(image),
        Condition.reason(state, image),
        image.size(),
        space.of(volume),
        sum(Exclusive.volumes(state, image), space),
        volume.format(),
        volume.parentImageId(),
        dependants,
        image.userData(),
        image.createdAt(),
        image.retainedUntil(),
        opens(state, image),
        commit);
  }

  private static List<ImageInfo.Open> opens(RepositoryState state, Image image) {
    return state.opensOf(image.id()).stream()
        .map(state.opens()::get)
        .filter(Objects::nonNull)
        .sorted(Comparator.comparing(Open::since).thenComparing(Open::id))
        .limit(ImageInfo.OPENS_MAX)
        .map(open ->
            new ImageInfo.Open(
                open.id(), open.hostId(), open.owner(), open.readOnly(), open.since()))
        .toList();
  }

  private static <E extends Exception> long sum(List<Volume> volumes, Space<E> space) throws E {
    long sum = 0;
    for (Volume volume : volumes) {
      long bytes = space.of(volume);
      if (bytes == SpaceMeter.UNKNOWN) {
        return SpaceMeter.UNKNOWN;
      }
      sum += bytes;
    }
    return sum;
  }
}
