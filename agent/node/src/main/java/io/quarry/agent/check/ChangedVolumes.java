package io.quarry.agent.check;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.Problem;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.Witness;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds frozen volumes whose files differ from what the log has witnessed: a process outside of
 * Quarry has written to them. A volume without a witness is no problem.
 */
final class ChangedVolumes {
  private final ConnectedRepository repository;

  ChangedVolumes(ConnectedRepository repository) {
    this.repository = repository;
  }

  void find(RepositoryState state, List<Problem> found) throws IOException {
    List<Volume> suspects = new ArrayList<>();
    for (Volume volume : state.volumes().values()) {
      if (changed(volume) != null) {
        suspects.add(volume);
      }
    }
    if (suspects.isEmpty()) {
      return;
    }
    // A merge may write down into the volume since the state was read.
    RepositoryState newer = repository.replica().refresh().repository();
    for (Volume suspect : suspects) {
      Volume now = newer.volumes().get(suspect.id());
      Witness seen = now == null ? null : changed(now);
      if (now != null && seen != null && now.witness() != null) {
        found.add(problem(now, now.witness(), seen));
      }
    }
  }

  private static Problem problem(Volume volume, Witness frozen, Witness seen) {
    return new Problem(
        Problem.Kind.CHANGED_VOLUME,
        volume.imageId(),
        String.valueOf(volume.file()),
        "another process changed the file after it was frozen: it has "
            + text(seen)
            + ", and had "
            + text(frozen),
        "find and stop the process that writes to the file; bring the file back from a backup with"
            + " its times, or remove the image");
  }

  private static String text(Witness witness) {
    return witness.size() + " bytes of " + witness.modified();
  }

  private @Nullable Witness changed(Volume volume) throws IOException {
    try {
      return repository.storage().volumes().changed(volume);
    } catch (FileFailure e) {
      // Another kind of problem covers a file that is missing or cannot be opened.
      if (e.isNoFile() || e instanceof FileFailure.Forbidden) {
        return null;
      }
      throw e;
    }
  }
}
