package io.quarry.agent.fix;

import io.quarry.agent.data.CopyFigures;
import io.quarry.agent.data.CopyPlan;
import io.quarry.agent.data.DifferenceCopier;
import io.quarry.agent.data.OverlayTarget;
import io.quarry.agent.data.Source;
import io.quarry.agent.storage.Checkpoint;
import io.quarry.agent.storage.Checkpoint.Amounts;
import io.quarry.agent.storage.Checkpoint.Output;
import io.quarry.coordinator.fault.FaultPoints;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a difference, such as the upper layers of a chain, into one file, window by window,
 * checkpoint by checkpoint.
 */
final class LayerCopy {
  private static final Logger LOG = LoggerFactory.getLogger(LayerCopy.class);
  private static final int STAGES = 2;

  private final RunningFix run;
  private final Source source;

  /**
   * @param source a difference
   */
  LayerCopy(RunningFix run, Source source) {
    this.run = run;
    this.source = source;
  }

  /**
   * Where the copy begins.
   *
   * @param offset up to which the file holds all of the difference already
   * @param movedBefore bytes that earlier epochs moved, as far as checkpoints know
   */
  record Start(String file, long offset, long movedBefore) {}

  /** When the method returns, the whole difference is durable. */
  void into(OverlayTarget target, Start start) throws IOException, InterruptedException {
    Checkpoint checkpoint =
        Checkpoint.copying(
            run.worker(),
            run.epoch(),
            STAGES,
            new Output(start.file(), null),
            new Amounts(start.offset(), source.size(), start.movedBefore()),
            run.now());
    run.save(checkpoint);
    CopyFigures figures =
        DifferenceCopier.copy(
            source,
            target,
            new CopyPlan(start.offset(), run.context().pace()),
            run.context().throttle(),
            run.control(),
            (end, moved) -> run.save(checkpoint.at(end, start.movedBefore() + moved, run.now())));
    LOG.info("Copied a difference into {}: {}", start.file(), figures);
    FaultPoints.reach("copy.done");
    run.save(run.checkpoint().stage(STAGES, "publish", run.now()));
  }
}
