package io.quarry.agent.service;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.OpenedImage.ChainLink;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.util.List;

/** How to reach an opened image: path, chain, and what QEMU and libvirt want to read. */
final class Opened {
  private Opened() {}

  static OpenedImage describe(
      ConnectedRepository repository, RepositoryState state, Open open, long commit) {
    Image top =
        java.util.Objects.requireNonNull(
            state.images().get(open.imageId()), "an open image exists");
    List<ChainLink> chain =
        state.chainOf(top).stream().map(image -> link(repository, state, image)).toList();
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
        blockdev(chain, open.readOnly()),
        libvirt(first, open.readOnly()),
        commit);
  }

  private static ChainLink link(
      ConnectedRepository repository, RepositoryState state, Image image) {
    Volume volume = state.volumeOf(image);
    return new ChainLink(
        image.id(),
        repository.storage().volume(String.valueOf(volume.file())).toString(),
        volume.format());
  }

  /** Names every layer and its format, so that QEMU probes nothing. */
  private static ObjectNode blockdev(List<ChainLink> chain, boolean readOnly) {
    ObjectNode node = layer(chain.getFirst(), readOnly);
    ObjectNode above = node;
    for (ChainLink below : chain.subList(1, chain.size())) {
      ObjectNode backing = layer(below, true);
      above.set("backing", backing);
      above = backing;
    }
    node.put("node-name", "quarry-" + chain.getFirst().imageId().substring(0, 8));
    return node;
  }

  private static ObjectNode layer(ChainLink link, boolean readOnly) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("driver", link.format().label());
    node.put("read-only", readOnly);
    ObjectNode file = node.putObject("file");
    file.put("driver", "file");
    file.put("filename", link.path());
    file.put("read-only", readOnly);
    return node;
  }

  private static String libvirt(ChainLink top, boolean readOnly) {
    return """
    <disk type="file" device="disk">
      <driver name="qemu" type="%s" cache="none"/>
      <source file="%s"/>
      <target dev="vda" bus="virtio"/>%s
    </disk>\
    """
        .formatted(top.format().label(), escape(top.path()), readOnly ? "\n  <readonly/>" : "");
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
  }
}
