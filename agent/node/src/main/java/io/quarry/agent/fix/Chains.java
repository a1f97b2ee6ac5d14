package io.quarry.agent.fix;

import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.repository.Repository;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.coordinator.plan.BackingChain;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.Pin;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.CopySource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Finds the files of volumes on this host. A chain may continue in another repository. There a pin
 * names the volumes of the chain and keeps them.
 *
 * @param repositories those connected here, by key
 */
public record Chains(Function<String, Optional<Repository>> repositories) {
  /** One layer, and the image that the layer belongs to. */
  public record Link(String imageId, Chain.Layer layer) {}

  /** The files that hold an image's content now, the top first. */
  public Chain of(RepositoryStorage storage, RepositoryState state, Image image)
      throws IOException {
    BackingChain layers = state.layersOf(image);
    List<Link> links = new ArrayList<>();
    for (Image each : layers.here()) {
      links.add(link(storage, state.volumeOf(each)));
    }
    addElsewhere(links, layers.elsewhere());
    return chain(links);
  }

  /** The files that an open was given. The files stay for as long as the open does. */
  public Chain of(RepositoryStorage storage, RepositoryState state, Open open) throws IOException {
    return chain(links(storage, state, open));
  }

  /** The files that an open was given, with the images that the files belong to. */
  public List<Link> links(RepositoryStorage storage, RepositoryState state, Open open)
      throws IOException {
    List<Link> links = links(storage, state, open.volumes());
    addElsewhere(links, open.baseSource());
    return links;
  }

  /** The files of a base in another repository, which a pin keeps. */
  public List<Link> elsewhere(CopySource source) throws IOException {
    Repository holder =
        repositories
            .apply(source.repositoryKey())
            .orElseThrow(() ->
                new IOException(
                    "the repository that holds its base "
                        + source.imageId()
                        + " is not connected on this host"));
    RepositoryState state = holder.state().repository();
    Pin pin = state.pins().get(source.pinId());
    if (pin == null) {
      state = holder.refresh().repository();
      pin = state.pins().get(source.pinId());
    }
    if (pin == null) {
      throw new IOException("its base " + source.imageId() + " is not kept for it any more");
    }
    return links(holder.storage(), state, pin.volumes());
  }

  private void addElsewhere(List<Link> links, @Nullable CopySource source) throws IOException {
    if (source != null) {
      links.addAll(elsewhere(source));
    }
  }

  private static List<Link> links(
      RepositoryStorage storage, RepositoryState state, List<String> volumeIds) throws IOException {
    List<Link> links = new ArrayList<>();
    for (String volumeId : volumeIds) {
      Volume volume = state.volumes().get(volumeId);
      if (volume == null) {
        throw new IOException("volume " + volumeId + " is gone");
      }
      links.add(link(storage, volume));
    }
    return links;
  }

  private static Link link(RepositoryStorage storage, Volume volume) throws IOException {
    return new Link(volume.imageId(), layer(storage, volume));
  }

  /** The file of a whole volume. */
  private static Chain.Layer layer(RepositoryStorage storage, Volume volume) throws IOException {
    if (volume.file() == null) {
      throw new IOException("image " + volume.imageId() + " is broken");
    }
    return storage.volumes().layer(volume.file(), volume.format());
  }

  private static Chain chain(List<Link> links) {
    return new Chain(links.stream().map(Link::layer).toList());
  }
}
