package io.quarry.agent.service;

import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.Witness;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Finds the frozen files of an image that have changed since they were frozen. */
final class ChangedFiles {
  private ChangedFiles() {}

  /** The current witnesses of changed files, by file name. */
  static Map<String, Witness> of(
      RepositoryStorage storage, RepositoryState state, List<String> volumeIds) throws IOException {
    Map<String, Witness> changed = new TreeMap<>();
    for (String id : volumeIds) {
      Volume volume = state.volumes().get(id);
      Witness now = volume == null ? null : storage.volumes().changed(volume);
      if (volume != null && now != null) {
        changed.put(String.valueOf(volume.file()), now);
      }
    }
    return changed;
  }
}
