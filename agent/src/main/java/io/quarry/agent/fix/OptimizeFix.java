package io.quarry.agent.fix;

import io.quarry.agent.data.Source;
import io.quarry.coordinator.plan.FinishOptimize;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;

/**
 * Gives a degraded disk an independent volume: its content is copied through the whole chain while
 * nobody uses it. Opening it ends the fix.
 */
final class OptimizeFix {
  private final RunningFix run;

  OptimizeFix(RunningFix run) {
    this.run = run;
  }

  void run() throws IOException, InterruptedException, FixGoneException {
    Volume volume =
        run.repository().state().repository().volumes().get(String.valueOf(run.fix().volumeId()));
    if (volume == null || volume.stage() != Volume.Stage.INTENDED) {
      throw new FixGoneException("its volume is whole or given up");
    }
    String file;
    try (Source source = new SourceOpener(run.repository(), run).open(volume.imageId())) {
      file = new RawCopy(run, volume).copy(source);
    }
    new Publication(run)
        .publish(volume, file, new FinishOptimize(run.fix().id(), volume.id(), run.epoch(), file));
  }
}
