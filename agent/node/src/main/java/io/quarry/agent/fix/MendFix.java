package io.quarry.agent.fix;

import io.quarry.agent.data.Source;
import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.repository.Repository;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.plan.FinishMend;
import io.quarry.coordinator.plan.GrantFixes;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.CopySource;
import io.quarry.coordinator.plan.Work;
import java.io.IOException;
import java.util.Map;
import java.util.UUID;

/**
 * Makes the volume that an image lacks: empty, as an overlay, or as a copy. An optimize also uses
 * this class, for a base that overlays have read in another repository so far.
 */
final class MendFix {
  private final RunningFix run;
  private final RepositoryState state;
  private final Repository repository;
  private final VolumeFiles files;

  MendFix(RunningFix run, RepositoryState state) {
    this.run = run;
    this.state = state;
    this.repository = run.repository();
    this.files = new VolumeFiles(repository.storage());
  }

  void makeEmpty(Volume volume) throws IOException, FixGoneException, InterruptedException {
    String file = volume.fileOfEpoch(run.epoch());
    makeFile(volume, file);
    new OutgrownBase(run).hide(volume, file, state);
    FaultPoints.reach("mend.made");
    publish(volume, file);
  }

  void copy(Work.Copy copy) throws IOException, InterruptedException, FixGoneException {
    String file;
    try (Source source = run.sourceIn(holder(copy.from())).open(copy.from().imageId())) {
      file = WholeCopy.of(run, copy.volume(), state, source);
    }
    publish(copy.volume(), file);
  }

  void copy(Work.CopyDifference copy) throws IOException, InterruptedException, FixGoneException {
    Repository holder = holder(copy.from());
    publish(copy.volume(), new DifferenceCopy(run, copy.volume(), holder).copy(state));
  }

  /**
   * An earlier try of this epoch may have made the file, and may have published the file without
   * getting the answer. So this try neither trusts nor removes the file, and the next epoch makes
   * another one.
   */
  private void makeFile(Volume volume, String file) throws IOException, FixGoneException {
    try {
      files.makeEmpty(volume, file, state);
    } catch (FileFailure.Exists e) {
      repository.commit(
          UUID.randomUUID().toString(),
          new GrantFixes(run.worker(), Map.of(run.fix().id(), run.epoch())));
      throw new FixGoneException(file + " is there already; the next epoch makes another one");
    }
  }

  private Repository holder(CopySource from) throws IOException {
    return run.context()
        .repositories()
        .apply(from.repositoryKey())
        .orElseThrow(
            () -> new IOException("the repository that holds the source is not connected here"));
  }

  private void publish(Volume volume, String file) throws IOException, FixGoneException {
    new Publication(run)
        .publish(
            volume,
            file,
            witnesses -> new FinishMend(run.fix().id(), volume.id(), run.epoch(), file, witnesses));
  }
}
