package io.quarry.agent.fix;

import io.quarry.agent.repository.Repository;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.plan.FinishOrphan;
import io.quarry.coordinator.plan.RepositoryState;
import java.io.IOException;
import java.util.UUID;

/** Removes a file that no volume names, or the claims and checkpoints of a fix that is over. */
final class OrphanFix {
  private final RunningFix run;
  private final Repository repository;

  OrphanFix(RunningFix run) {
    this.run = run;
    this.repository = run.repository();
  }

  void run(String file) throws IOException {
    RepositoryState state = repository.refresh().repository();
    if (OrphanFiles.isOrphan(file, state)) {
      remove(file);
    }
    FaultPoints.reach("stray.removed");
    repository.commit(UUID.randomUUID().toString(), new FinishOrphan(run.fix().id()));
  }

  private void remove(String file) throws IOException {
    String fixId = OrphanFiles.fixOf(file);
    if (fixId != null) {
      run.store().forget(fixId);
      return;
    }
    repository.storage().volumes().remove(file);
    repository.storage().volumes().force();
  }
}
