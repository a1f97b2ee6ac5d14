package io.quarry.agent.cli;

import io.quarry.common.api.Committed;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StorageApi;
import java.time.Duration;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Removes an image. */
@Command(
    name = "remove",
    description = {
      "Removes an image, finished or not.",
      "Its data goes as soon as nothing depends on it.",
      "Uploads into the image and downloads of it end. A VM that writes to it refuses the removal."
    },
    footer = {"", "Example:", "  quarry image remove main IMAGE --retain 7d"})
final class ImageRemove extends ApiCommand {
  @Mixin private ImageArguments about = new ImageArguments();

  @Option(
      names = "--retain",
      paramLabel = "DURATION",
      converter = Span.class,
      description = "Keep the data this long, so that quarry image restore can undo the removal.")
  private Duration retain = Duration.ZERO;

  @Option(
      names = "--force",
      description = "Remove a disk that a VM has open for writing; its data goes at the close.")
  private boolean force;

  @Option(names = "--no-auto-fix", description = "Only commit; cleaning waits for quarry fix.")
  private boolean noAutoFix;

  @Override
  int run(StorageApi api, Output output) {
    List<ImageInfo.Open> opens = api.getImage(about.repo(), about.image(), 0).opens();
    Committed removed =
        api.removeImage(
            about.repo(), about.image(), new RemoveImageOptions(!noAutoFix, retain, force), null);
    output.print(removed, () -> "removed " + about.image());
    if (!opens.isEmpty()) {
      output.remark(
          "It was open: "
              + who(opens.getFirst())
              + ". Uploads and downloads end; its data stays until VMs have closed it.");
    }
    return Exit.DONE;
  }

  private static String who(ImageInfo.Open open) {
    return (open.owner() == null ? "an unnamed user" : open.owner())
        + " had it open on "
        + open.hostId()
        + (open.readOnly() ? " to read" : " to write");
  }
}
