package io.quarry.agent.cli;

import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.ImagePage;
import io.quarry.common.api.StorageApi;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Visibility;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Lists the images of a repository. */
@Command(
    name = "list",
    description = "Lists the images of a repository.",
    footer = {
      "",
      "Examples:",
      "  quarry image list main --kind Snapshot --label name=web",
      "  quarry image list main --removed"
    })
final class ImageList extends ApiCommand {
  private static final int USER_DATA_CHARS_MAX = 40;

  @Parameters(paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Option(
      names = "--kind",
      paramLabel = "KIND",
      converter = Labels.OfKind.class,
      description = "Only VirtualDisk or only Snapshot.")
  private @Nullable ImageKind kind;

  @Option(
      names = "--state",
      paramLabel = "STATE",
      converter = Labels.OfState.class,
      description = "Only optimized, degraded or broken ones.")
  private @Nullable ImageState state;

  @Option(
      names = "--label",
      paramLabel = "NAME[=VALUE]",
      description = "Only those with this field in their user data.")
  private @Nullable String label;

  @Option(
      names = "--removed",
      description = "Instead, removed ones that can still be restored, and until when surely.")
  private boolean removed;

  @Override
  int run(StorageApi api, Output output) {
    Visibility visibility = removed ? Visibility.REMOVED : Visibility.VISIBLE;
    ImagePage images = AllImages.list(api, repo, kind, state, visibility, label);
    output.print(images, () -> removed ? removed(images) : table(images));
    return Exit.DONE;
  }

  private static Table removed(ImagePage images) {
    Table table =
        new Table("IMAGE", "KIND", "STATE", ">SIZE", ">EXCLUSIVE", "RETAINED UNTIL", "USER DATA");
    for (ImageInfo image : images.images()) {
      table.row(
          image.imageId(),
          image.kind().label(),
          image.state().label(),
          Units.bytes(image.size()),
          Units.bytes(image.exclusiveBytes()),
          surely(image),
          userData(image));
    }
    return table;
  }

  /** An image whose retention is over exists because an open still needs it. */
  private static String surely(ImageInfo image) {
    Instant until = image.retainedUntil();
    boolean retained = until != null && until.isAfter(Instant.now());
    return retained || image.opens().isEmpty()
        ? Units.time(until)
        : "while open on " + image.opens().getFirst().hostId();
  }

  private static Table table(ImagePage images) {
    Table table =
        new Table(
            "IMAGE",
            "KIND",
            "STATE",
            ">SIZE",
            ">ALLOCATED",
            ">EXCLUSIVE",
            "FORMAT",
            "PARENT",
            "CREATED",
            "USER DATA");
    for (ImageInfo image : images.images()) {
      table.row(
          image.imageId(),
          image.kind().label(),
          image.state().label(),
          Units.bytes(image.size()),
          Units.bytes(image.actualBytes()),
          Units.bytes(image.exclusiveBytes()),
          image.format().label(),
          image.parentImageId(),
          Units.time(image.createdAt()),
          userData(image));
    }
    return table;
  }

  static String userData(ImageInfo image) {
    String text = image.userData().isEmpty() ? "" : image.userData().toString();
    return text.length() <= USER_DATA_CHARS_MAX
        ? text
        : text.substring(0, USER_DATA_CHARS_MAX - 1) + "…";
  }
}
