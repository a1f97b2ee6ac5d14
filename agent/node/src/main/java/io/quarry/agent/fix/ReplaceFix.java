package io.quarry.agent.fix;

import io.quarry.agent.data.ChainSource;
import io.quarry.agent.data.Source;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.coordinator.plan.FinishReplacement;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Work;
import java.io.IOException;

/**
 * Gives an image a better volume. The better volume is independent, or also holds the data of
 * hidden images below. No process may write to the image meanwhile: opening the image for writing
 * ends the fix.
 */
final class ReplaceFix {
  private final RunningFix run;
  private final RepositoryState state;
  private final SourceOpener opener;

  ReplaceFix(RunningFix run, RepositoryState state) {
    this.run = run;
    this.state = state;
    this.opener = run.sourceIn(run.repository());
  }

  void run(Work.Replace replace) throws IOException, InterruptedException, FixGoneException {
    if (!mergedInPlace(replace.volume(), replace.image())) {
      publish(replace.volume(), replace.image(), all(replace.volume(), replace.image()));
    }
  }

  void run(Work.Merge merge) throws IOException, InterruptedException, FixGoneException {
    if (!mergedInPlace(merge.volume(), merge.image())) {
      publish(merge.volume(), merge.image(), upper(merge.volume(), merge.image()));
    }
  }

  private boolean mergedInPlace(Volume volume, Image image)
      throws IOException, InterruptedException, FixGoneException {
    run.requireStill(state, image);
    return new MergeInPlaceFix(run).run(volume, image);
  }

  private void publish(Volume volume, Image image, String file)
      throws IOException, FixGoneException {
    run.requireStill(state, image);
    new Publication(run)
        .publish(
            volume,
            file,
            witnesses ->
                new FinishReplacement(run.fix().id(), volume.id(), run.epoch(), file, witnesses));
  }

  private String all(Volume volume, Image image) throws IOException, InterruptedException {
    try (Source source = opener.open(state, image)) {
      return new RawCopy(run, volume).copy(source);
    }
  }

  private String upper(Volume volume, Image image) throws IOException, InterruptedException {
    Chain chain = opener.chainOf(state, image);
    int layers =
        state.chainOf(image).stream()
            .map(Image::id)
            .toList()
            .indexOf(String.valueOf(volume.parentImageId()));
    if (layers < 1) {
      throw new IOException("image " + volume.parentImageId() + " is not below " + image.id());
    }
    try (ChainSource source = opener.open(chain, image.size())) {
      return new OverlayCopy(run, volume, state).copy(source.above(layers), chain.below(layers));
    }
  }
}
