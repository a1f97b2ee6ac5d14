package io.quarry.agent.fix;

import io.quarry.agent.repository.Repository;
import io.quarry.agent.storage.VolumeStore;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.Witness;
import io.quarry.coordinator.plan.WitnessVolumes.Seen;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The modes of volume files, which follow from the log. */
public final class VolumeModes {
  /**
   * The most looks at the log for one file; each change of the log in between requires one more.
   */
  private static final int LOOKS_MAX = 3;

  private VolumeModes() {}

  /**
   * Gives the file of a volume its mode. Meanwhile a merge may begin to write to the file, or a
   * disk may continue in the file. So a host that has changed a mode looks at the log once more.
   *
   * @param witnessing whether frozen files without a witness are to have one
   * @return the witness of such a file
   */
  public static @Nullable Seen reconcile(Repository repository, String volumeId, boolean witnessing)
      throws IOException {
    RepositoryState state = repository.state().repository();
    for (int look = 0; look < LOOKS_MAX; look++) {
      Volume volume = state.volumes().get(volumeId);
      if (volume == null
          || volume.stage() != Volume.Stage.READY
          || volume.file() == null
          || !state.freezesFiles()) {
        return null;
      }
      VolumeStore volumes = repository.storage().volumes();
      boolean frozen = volume.isFrozen(state);
      FaultPoints.reach("modes.looked");
      Witness witness = null;
      if (witnessing && frozen && volume.witness() == null) {
        witness = volumes.freeze(volume.file());
      } else if (!volumes.protect(volume.file(), frozen)) {
        return null;
      }
      state = repository.refresh().repository();
      Volume now = state.volumes().get(volumeId);
      if (now != null && now.isFrozen(state) == frozen) {
        return witness == null ? null : new Seen(volumeId, now.imageId(), witness);
      }
    }
    return null;
  }
}
