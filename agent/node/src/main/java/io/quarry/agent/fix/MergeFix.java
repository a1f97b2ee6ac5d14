package io.quarry.agent.fix;

import io.quarry.agent.data.ChainSource;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Work;
import java.io.IOException;

/**
 * Merges the hidden images below an image into the image's own volume, so that the hidden images
 * can go. {@code plan.MergeRules} decides the merge. {@link MergeInPlaceFix} moves the data down
 * where that is cheaper; all other merges fill a new volume here, and end as a replacement does.
 */
final class MergeFix {
  private final RunningFix run;
  private final RepositoryState state;
  private final ReplaceFix replace;

  MergeFix(RunningFix run, RepositoryState state) {
    this.run = run;
    this.state = state;
    this.replace = new ReplaceFix(run, state);
  }

  void run(Work.Merge merge) throws IOException, InterruptedException, FixGoneException {
    boolean whole = merge.volume().parentImageId() == null;
    replace.run(merge.volume(), merge.image(), whole ? replace::all : this::upper);
  }

  /** Copies the layers above the image that stays. */
  private String upper(Volume volume, Image image) throws IOException, InterruptedException {
    SourceOpener opener = run.sourceIn(run.repository());
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
