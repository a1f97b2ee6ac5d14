package io.quarry.agent.service;

import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.fix.Chains;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.OpenedImage.ChainLink;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.plan.BackingChain;
import io.quarry.coordinator.plan.ChainLength;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume.CopySource;
import java.io.IOException;
import java.util.List;
import java.util.Objects;

/**
 * Describes how to reach an opened image: path, chain, and the definitions for QEMU and libvirt.
 */
final class ImageAttachment {
  /** A node name of QEMU has at most 31 characters. */
  private static final int NODE_NAME_ID_CHARS = 8;

  private ImageAttachment() {}

  /** Throws when this host does not reach all of the image. */
  static OpenedImage describe(
      ConnectedRepository repository,
      RepositoryState state,
      Open open,
      Chains chains,
      long commit) {
    Image top = Objects.requireNonNull(state.images().get(open.imageId()), "an open image exists");
    List<Chains.Link> links;
    try {
      links = chains.links(repository.storage(), state, open);
    } catch (IOException e) {
      throw unreached(open.imageId(), e);
    }
    List<ChainLink> chain =
        links.stream()
            .map(link ->
                new ChainLink(
                    link.imageId(), link.layer().file().toString(), link.layer().format()))
            .toList();
    Chain files = new Chain(links.stream().map(Chains.Link::layer).toList());
    ChainLink first = chain.getFirst();
    return new OpenedImage(
        open.id(),
        top.id(),
        open.hostId(),
        open.readOnly(),
        first.path(),
        first.format(),
        top.size(),
        chain.subList(1, chain.size()),
        files.blockdev(open.readOnly()).put("node-name", "quarry-" + prefix(first.imageId())),
        libvirt(files, open.readOnly()),
        commit);
  }

  /** Called before the commit, so that no image is opened that this host cannot reach. */
  static void requireReached(RepositoryState state, String imageId, Chains chains) {
    Image image = state.visibleImage(imageId);
    if (image == null) {
      return;
    }
    BackingChain layers = state.layersOf(image);
    CopySource elsewhere = layers.elsewhere();
    if (elsewhere != null) {
      try {
        int below = chains.elsewhere(elsewhere).size();
        ChainLength.requireUsable(image, layers.here().size() + below);
      } catch (IOException e) {
        throw unreached(imageId, e);
      }
    }
  }

  private static StorageException unreached(String imageId, IOException why) {
    return new StorageException(
        ErrorCode.REPOSITORY_NOT_CONNECTED,
        "image " + imageId + " cannot be used on this host: " + why.getMessage(),
        imageId,
        "call a host that has both repositories connected, or wait until the image is optimized",
        why);
  }

  private static String prefix(String imageId) {
    return imageId.substring(0, Math.min(NODE_NAME_ID_CHARS, imageId.length()));
  }

  /**
   * Names every layer, since the backing names in the files may be out of date. Owners and modes
   * stay the agent's: libvirt would take the files over, and give back the top alone.
   */
  static String libvirt(Chain chain, boolean readOnly) {
    return """
    <disk type="%s" device="disk">
      <driver name="qemu" type="%s" cache="none"/>
      %s
        <seclabel model="dac" relabel="no"/>
      </source>
    %s
      <target dev="vda" bus="virtio"/>%s
    </disk>\
    """
        .formatted(
            type(chain.top()),
            chain.top().format().label(),
            source(chain.top()),
            backing(chain.below(1), "  "),
            readOnly ? "\n  <readonly/>" : "");
  }

  private static String backing(List<Chain.Layer> below, String indent) {
    if (below.isEmpty()) {
      return indent + "<backingStore/>";
    }
    Chain.Layer next = below.getFirst();
    return """
    %1$s<backingStore type="%2$s">
    %1$s  <format type="%3$s"/>
    %1$s  %4$s
    %1$s    <seclabel model="dac" relabel="no"/>
    %1$s  </source>
    %5$s
    %1$s</backingStore>\
    """
        .formatted(
            indent,
            type(next),
            next.format().label(),
            source(next),
            backing(below.subList(1, below.size()), indent + "  "));
  }

  private static String type(Chain.Layer layer) {
    return layer.place().isDevice() ? "block" : "file";
  }

  private static String source(Chain.Layer layer) {
    String path = escape(layer.file().toString());
    return layer.place().isDevice()
        ? "<source dev=\"%s\">".formatted(path)
        : "<source file=\"%s\">".formatted(path);
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
  }
}
