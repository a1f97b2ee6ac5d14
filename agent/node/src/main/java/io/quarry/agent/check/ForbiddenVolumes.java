package io.quarry.agent.check;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.FileStatus;
import io.quarry.agent.data.os.Users;
import io.quarry.agent.storage.VolumeStore;
import io.quarry.common.api.Problem;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds volumes whose files belong to another user than the agent's, for example because libvirt
 * took them over. An agent without root rights then cannot read the image, or cannot freeze its
 * file or merge into the file.
 */
final class ForbiddenVolumes {
  private final VolumeStore volumes;

  ForbiddenVolumes(VolumeStore volumes) {
    this.volumes = volumes;
  }

  void find(RepositoryState state, List<Problem> found) throws IOException {
    if (Users.mayDoAll()) {
      return;
    }
    for (Volume volume : state.volumes().values()) {
      String wrong = volume.stage() == Volume.Stage.READY ? whatIsWrong(volume) : null;
      if (wrong != null) {
        String file = String.valueOf(volume.file());
        found.add(
            new Problem(
                Problem.Kind.FORBIDDEN_VOLUME,
                volume.imageId(),
                file,
                wrong,
                "give the file back to the agent's user: chown "
                    + Users.effective()
                    + " "
                    + volumes.path(file)));
      }
    }
  }

  private @Nullable String whatIsWrong(Volume volume) throws IOException {
    String file = String.valueOf(volume.file());
    try {
      FileStatus status = volumes.status(file);
      if (status.uid() != Users.effective()) {
        volumes.openRead(file).close();
        return "the file belongs to user "
            + status.uid()
            + " and not to the agent's user "
            + Users.effective()
            + ", who cannot change its mode 0"
            + Integer.toOctalString(status.mode());
      }
      return null;
    } catch (FileFailure.Forbidden e) {
      return String.valueOf(e.getMessage());
    } catch (FileFailure e) {
      if (e.isNoFile()) {
        return null;
      }
      throw e;
    }
  }
}
