package io.quarry.agent.fix;

import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;

/**
 * Tells files that nobody will ever read from those that somebody may. Intent comes before files: a
 * file whose volume a state newer than the file does not know is left over.
 */
public final class StrayFiles {
  private StrayFiles() {}

  /**
   * @param state read after the file was seen
   */
  public static boolean isStray(String file, RepositoryState state) {
    VolumeName name = VolumeName.parse(file);
    if (name == null) {
      return false;
    }
    Volume volume = state.volumes().get(name.volumeId());
    if (volume == null) {
      return state.opens().values().stream()
          .noneMatch(open -> name.volumeId().equals(open.fills()));
    }
    return volume.stage() == Volume.Stage.READY && !file.equals(volume.file());
  }
}
