package io.quarry.agent.fix;

import io.quarry.agent.data.ChainSource;
import io.quarry.agent.data.RawFileSource;
import io.quarry.agent.data.Source;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import java.io.IOException;

/** Opens an image of a connected repository for reading its whole content. */
final class SourceOpener {
  private final ConnectedRepository holder;
  private final RunningFix run;

  SourceOpener(ConnectedRepository holder, RunningFix run) {
    this.holder = holder;
    this.run = run;
  }

  Source open(String imageId) throws IOException {
    RepositoryState state = holder.state().repository();
    Image image = state.images().get(imageId);
    if (image == null) {
      state = holder.replica().refresh().repository();
      image = state.images().get(imageId);
    }
    if (image == null) {
      throw new IOException("the source image " + imageId + " is gone");
    }
    return open(state, image);
  }

  /** The content as the state says it is made up. */
  Source open(RepositoryState state, Image image) throws IOException {
    Chain chain = Chains.of(holder.storage(), state, image);
    return chain.top().format() == VolumeFormat.RAW
        ? RawFileSource.open(chain.top().file())
        : open(chain, image);
  }

  /** The same, layer by layer. */
  ChainSource open(Chain chain, Image image) throws IOException {
    return ChainSource.open(run.children(), run.around().runtimeDirectory(), chain, image.size());
  }
}
