package io.quarry.agent.fix;

import io.quarry.agent.data.ChainSource;
import io.quarry.agent.data.RawFileSource;
import io.quarry.agent.data.Source;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.repository.Repository;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import java.io.IOException;
import java.nio.file.Path;

/** Opens an image of a connected repository for reading its whole content. */
public final class SourceOpener {
  private final Repository holder;
  private final Chains chains;
  private final Children children;
  private final Path runtimeDirectory;

  /**
   * @param children the tools that the reading may need
   */
  public SourceOpener(Repository holder, Chains chains, Children children, Path runtimeDirectory) {
    this.holder = holder;
    this.chains = chains;
    this.children = children;
    this.runtimeDirectory = runtimeDirectory;
  }

  Source open(String imageId) throws IOException {
    Found found = find(imageId);
    return open(found.state(), found.image());
  }

  /** An image, and a state that has the image. */
  record Found(RepositoryState state, Image image) {}

  Found find(String imageId) throws IOException {
    RepositoryState state = holder.state().repository();
    Image image = state.images().get(imageId);
    if (image == null) {
      state = holder.refresh().repository();
      image = state.images().get(imageId);
    }
    if (image == null) {
      throw new IOException("the source image " + imageId + " is gone");
    }
    return new Found(state, image);
  }

  /** The content of the image, made up as the state says. */
  Source open(RepositoryState state, Image image) throws IOException {
    if (!state.isWhole(image)) {
      // A file that does not exist yet would be read as zeros.
      throw new IOException("the source image " + image.id() + " is broken itself");
    }
    return content(chainOf(state, image), image.size());
  }

  /** The files that hold the image. */
  Chain chainOf(RepositoryState state, Image image) throws IOException {
    return chains.of(holder.storage(), state, image);
  }

  /** The content of these files. */
  public Source content(Chain chain, long size) throws IOException {
    return chain.top().format() == VolumeFormat.RAW
        ? RawFileSource.of(chain.top().open(), size)
        : open(chain, size);
  }

  /** The content of these files, layer by layer. */
  ChainSource open(Chain chain, long size) throws IOException {
    return ChainSource.open(children, runtimeDirectory, chain, size);
  }
}
