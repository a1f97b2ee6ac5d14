package io.quarry.agent.cli;

import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.ImagePage;
import io.quarry.common.api.StorageApi;
import io.quarry.common.model.Visibility;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Shows which image is an overlay of which. */
@Command(
    name = "tree",
    description = {
      "Shows which image is an overlay of which.",
      "Removed images show as removed while those above need them.",
      "Snapshots that Quarry took for itself, such as for a copy, show as internal."
    },
    footer = {"", "Example:", "  quarry image tree main"})
final class ImageTree extends ApiCommand {
  /** One image with the images above it, for JSON. */
  record Node(String imageId, @Nullable ImageInfo image, List<Node> dependants) {}

  @Parameters(paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Override
  int run(StorageApi api, Output output) {
    List<Node> roots = roots(AllImages.list(api, repo, null, null, Visibility.ALL, null));
    output.print(roots, () -> draw(roots));
    return Exit.DONE;
  }

  static List<Node> roots(ImagePage page) {
    Map<String, ImageInfo> known =
        page.images().stream()
            .collect(
                Collectors.toMap(
                    ImageInfo::imageId, each -> each, (a, b) -> a, LinkedHashMap::new));
    Map<String, List<ImageInfo>> above = new LinkedHashMap<>();
    Set<String> roots = new TreeSet<>();
    for (ImageInfo image : known.values()) {
      String parent = image.parentImageId();
      if (parent == null) {
        roots.add(image.imageId());
      } else {
        above.computeIfAbsent(parent, each -> new ArrayList<>()).add(image);
        if (!known.containsKey(parent)) {
          roots.add(parent);
        }
      }
    }
    return roots.stream()
        .map(root -> node(root, known, above))
        .filter(ImageTree::hasVisible)
        .toList();
  }

  private static Node node(
      String id, Map<String, ImageInfo> known, Map<String, List<ImageInfo>> above) {
    return new Node(
        id,
        known.get(id),
        above.getOrDefault(id, List.of()).stream()
            .map(each -> node(each.imageId(), known, above))
            .filter(ImageTree::hasVisible)
            .toList());
  }

  /** A hidden image exists only for the images above it. */
  private static boolean hasVisible(Node node) {
    ImageInfo image = node.image();
    return (image != null && image.visible()) || !node.dependants().isEmpty();
  }

  static String draw(List<Node> roots) {
    StringBuilder text = new StringBuilder();
    roots.forEach(root -> {
      text.append(label(root)).append('\n');
      draw(root.dependants(), "", text);
    });
    return text.toString();
  }

  private static void draw(List<Node> nodes, String indent, StringBuilder text) {
    for (int i = 0; i < nodes.size(); i++) {
      boolean last = i == nodes.size() - 1;
      text.append(indent).append(last ? "└─ " : "├─ ").append(label(nodes.get(i))).append('\n');
      draw(nodes.get(i).dependants(), indent + (last ? "   " : "│  "), text);
    }
  }

  private static String label(Node node) {
    ImageInfo image = node.image();
    return image == null
        ? node.imageId() + "  missing"
        : String.join(
                "  ",
                node.imageId(),
                image.kind().label(),
                state(image),
                Units.bytes(image.size()),
                image.format().label(),
                ImageList.userData(image))
            .stripTrailing();
  }

  private static String state(ImageInfo image) {
    if (image.visible()) {
      return image.state().label();
    }
    return image.retainedUntil() == null ? "internal" : "removed";
  }
}
