package io.quarry.it.guest;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.common.api.OpenedImage;
import io.quarry.it.box.QemuGuest;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.jspecify.annotations.Nullable;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.xml.sax.InputSource;

/** The libvirt description of an opened image, compared with the one for QEMU. */
final class DiskXml {
  private DiskXml() {}

  /** One file of a chain, as both descriptions name it. */
  record Layer(String file, String format) {}

  static void assertValid(OpenedImage image, GuestKit kit, Path directory) throws Exception {
    Path domain = Files.createTempFile(directory, "domain", ".xml");
    Files.writeString(
        domain,
        """
        <domain type="qemu">
          <name>test</name>
          <memory>262144</memory>
          <os><type arch="x86_64">hvm</type></os>
          <devices>
        %s
          </devices>
        </domain>
        """
            .formatted(image.libvirtDisk()));
    QemuGuest.run(
        List.of(
            "xmllint", "--noout", "--relaxng", kit.domainSchema().toString(), domain.toString()));
  }

  /** From the top down; libvirt ends a chain with a backing store of no type. */
  static List<Layer> layers(OpenedImage image) throws Exception {
    Element disk =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new InputSource(new StringReader(image.libvirtDisk())))
            .getDocumentElement();
    List<Layer> layers = new ArrayList<>();
    layers.add(new Layer(fileOf(disk), required(disk, "driver").getAttribute("type")));
    Element below = required(disk, "backingStore");
    while (below.hasAttribute("type")) {
      layers.add(new Layer(fileOf(below), required(below, "format").getAttribute("type")));
      below = required(below, "backingStore");
    }
    return layers;
  }

  /** The layers in the JSON for QEMU. */
  static List<Layer> layersOfBlockdev(OpenedImage image) {
    List<Layer> layers = new ArrayList<>();
    JsonNode node = image.blockdev();
    while (!node.isMissingNode()) {
      layers.add(
          new Layer(node.path("file").path("filename").asText(), node.path("driver").asText()));
      node = node.path("backing");
    }
    return layers;
  }

  static boolean readOnly(OpenedImage image) {
    return image.libvirtDisk().contains("<readonly/>");
  }

  private static String fileOf(Element element) {
    return required(element, "source").getAttribute("file");
  }

  private static Element required(Element parent, String name) {
    @Nullable Node child = parent.getFirstChild();
    while (child != null) {
      if (child instanceof Element element && element.getTagName().equals(name)) {
        return element;
      }
      child = child.getNextSibling();
    }
    throw new AssertionError("no " + name + " in " + parent.getTagName());
  }
}
