package io.quarry.agent.service;

import io.quarry.common.api.ImageInfo;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.util.List;
import java.util.Objects;

/** Images as callers see them. */
final class Views {
  /** Listings do not touch the storage. */
  static final long BYTES_UNKNOWN = -1;

  private Views() {}

  static ImageInfo image(RepositoryState state, Image image, long actualBytes, long commit) {
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
        state.stateOf(image),
        state.reasonOf(image),
        image.size(),
        actualBytes,
        volume.format(),
        volume.parentImageId(),
        dependants,
        image.userData(),
        image.createdAt(),
        commit);
  }
}
