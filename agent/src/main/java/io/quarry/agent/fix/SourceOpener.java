package io.quarry.agent.fix;

import io.quarry.agent.data.ChainSource;
import io.quarry.agent.data.RawFileSource;
import io.quarry.agent.data.Source;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.nio.file.Path;

/** Opens an image of a connected repository for reading its whole content. */
final class SourceOpener {
  private final ConnectedRepository holder;
  private final RunningFix run;

  SourceOpener(ConnectedRepository holder, RunningFix run) {
    this.holder = holder;
    this.run = run;
  }

  Source open(String imageId) throws IOException, InterruptedException {
    RepositoryState state = holder.state().repository();
    Image image = state.images().get(imageId);
    if (image == null) {
      state = holder.replica().refresh().repository();
      image = state.images().get(imageId);
    }
    if (image == null) {
      throw new IOException("the source image " + imageId + " is gone");
    }
    Volume volume = state.volumeOf(image);
    if (volume.file() == null) {
      throw new IOException("the source image " + imageId + " is broken itself");
    }
    Path path = holder.storage().volume(volume.file());
    if (volume.format() == VolumeFormat.RAW) {
      return RawFileSource.open(path);
    }
    return ChainSource.open(run.children(), run.around().runtimeDirectory(), path, volume.format());
  }
}
