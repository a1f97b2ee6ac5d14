package io.quarry.agent.fix;

import io.quarry.agent.data.ChainSource;
import io.quarry.agent.data.ComparedSource;
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

/** Copies the difference between an image and its base, out of the repository that holds both. */
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
    if (layers == 0) {
      return compared(opener, found, target);
    }
    if (layers == 1 && isFile(chain.top()) && !run.repository().storage().traits().devices()) {
      // One layer is one file, copied as it is. No reader uses the base that the file's header
      // names.
      try (Source bytes = RawFileSource.of(chain.top().open())) {
        String file = String.valueOf(chain.top().file().getFileName());
        return new RawCopy(run, volume, file).copy(bytes);
      }
    }
    try (ChainSource source = opener.open(chain, found.image().size())) {
      return new OverlayCopy(run, volume, target).copy(source.above(layers), chain.below(layers));
    }
  }

  /** A device is longer than what a volume has in it, and holds what was there before. */
  private static boolean isFile(Chain.Layer layer) {
    return !layer.place().isDevice();
  }

  /** The image no longer consists of the base, or never did, so the copy compares contents. */
  private String compared(SourceOpener opener, SourceOpener.Found found, RepositoryState target)
      throws IOException, InterruptedException {
    SourceOpener.Found base = opener.find(String.valueOf(volume.parentImageId()));
    List<Chain.Layer> below = opener.chainOf(base.state(), base.image()).layers();
    try (Source image = opener.open(found.state(), found.image());
        Source other = opener.open(base.state(), base.image())) {
      return new OverlayCopy(run, volume, target).copy(new ComparedSource(image, other), below);
    }
  }

  /** 0 when the base is not below the image. */
  private int layersAboveBase(RepositoryState state, Image image) {
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
    return 0;
  }
}
