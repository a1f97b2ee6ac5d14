package io.quarry.agent.fix;

import io.quarry.agent.data.ChainSource;
import io.quarry.agent.data.RawFileSource;
import io.quarry.agent.data.Source;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.repository.Repository;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.util.List;
import java.util.Objects;

/** Copies what lies above an image's base, out of the repository that holds both. */
final class DifferenceCopy {
  private final RunningFix run;
  private final Volume volume;
  private final Repository holder;

  DifferenceCopy(RunningFix run, Volume volume, Repository holder) {
    this.run = run;
    this.volume = volume;
    this.holder = holder;
  }

  /**
   * Returns the file that now holds the difference, durably.
   *
   * @param target the state of the repository that gets it
   */
  String copy(RepositoryState target) throws IOException, InterruptedException {
    SourceOpener opener = run.sourceIn(holder);
    String imageId = Objects.requireNonNull(volume.source(), "a copy").imageId();
    SourceOpener.Found found = opener.find(imageId);
    Chain chain = opener.chainOf(found.state(), found.image());
    int layers = layersAboveBase(found.state(), found.image());
    if (layers == 1) {
      // One layer is one file, as it is. What its header says of its base does not count anywhere.
      try (Source bytes = RawFileSource.of(chain.top().open())) {
        String file = String.valueOf(chain.top().file().getFileName());
        return new RawCopy(run, volume, file).copy(bytes);
      }
    }
    try (ChainSource source = opener.open(chain, found.image().size())) {
      return new OverlayCopy(run, volume, target).copy(source, layers, chain.below(layers));
    }
  }

  private int layersAboveBase(RepositoryState state, Image image) throws IOException {
    List<Image> chain = state.chainOf(image);
    for (int layers = 1; layers <= chain.size(); layers++) {
      String below = state.volumeOf(chain.get(layers - 1)).parentImageId();
      boolean here = layers < chain.size();
      if (volume.parentImageId() != null
          && volume.parentImageId().equals(below)
          && (here || layers == 1)) {
        return layers;
      }
    }
    throw new IOException(
        "image " + image.id() + " has no base " + volume.parentImageId() + " in its repository");
  }
}
