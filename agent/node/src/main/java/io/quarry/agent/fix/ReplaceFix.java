package io.quarry.agent.fix;

import io.quarry.agent.data.Source;
import io.quarry.coordinator.plan.FinishReplacement;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Work;
import java.io.IOException;

/**
 * Gives an image a better volume. No process may write to the image meanwhile: opening the image
 * for writing ends the fix.
 */
final class ReplaceFix {
  private final RunningFix run;
  private final RepositoryState state;

  ReplaceFix(RunningFix run, RepositoryState state) {
    this.run = run;
    this.state = state;
  }

  void run(Work.Replace replace) throws IOException, InterruptedException, FixGoneException {
    run(replace.volume(), replace.image(), this::all);
  }

  /** Data that lies in hidden images below can be written down into the lowest of them. */
  void run(Volume volume, Image image, Copy copy)
      throws IOException, InterruptedException, FixGoneException {
    run.requireStill(state, image);
    if (new MergeInPlaceFix(run).run(volume, image)) {
      return;
    }
    String file = copy.into(volume, image);
    run.requireStill(state, image);
    new Publication(run)
        .publish(
            volume,
            file,
            witnesses ->
                new FinishReplacement(run.fix().id(), volume.id(), run.epoch(), file, witnesses));
  }

  /** Copies all of the image. */
  String all(Volume volume, Image image) throws IOException, InterruptedException {
    try (Source source = run.sourceIn(run.repository()).open(state, image)) {
      return WholeCopy.of(run, volume, state, source);
    }
  }

  /** Fills the new volume, and returns its file. */
  interface Copy {
    String into(Volume volume, Image image) throws IOException, InterruptedException;
  }
}
