package io.quarry.agent.fix;

import io.quarry.agent.data.ChainSource;
import io.quarry.agent.data.Source;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.coordinator.plan.FinishReplacement;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
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

  ReplaceFix(RunningFix run) {
    this.run = run;
    this.state = run.repository().state().repository();
    this.opener = run.sourceIn(run.repository());
  }

  void run() throws IOException, InterruptedException, FixGoneException {
    Volume volume = state.volumes().get(String.valueOf(run.fix().volumeId()));
    Image image = volume == null ? null : state.images().get(volume.imageId());
    if (volume == null || image == null || volume.stage() != Volume.Stage.INTENDED) {
      throw new FixGoneException("its volume is whole or given up");
    }
    run.requireStill(state, image);
    if (new MergeInPlaceFix(run).run(volume, image)) {
      return;
    }
    String file = volume.parentImageId() == null ? all(volume, image) : upper(volume, image);
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
