package io.quarry.agent.cli;

import io.quarry.common.api.Committed;
import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Closes an image that was opened. */
@Command(
    name = "close",
    description = "Closes an image that was opened.",
    footer = {"", "Example:", "  quarry image close main IMAGE OPEN"})
final class ImageClose extends ApiCommand {
  @Mixin private ImageArguments about = new ImageArguments();

  @Parameters(index = "2", paramLabel = "OPEN", description = "The open's id, from image open.")
  private String open = "";

  @Override
  int run(StorageApi api, Output output) {
    Committed closed = api.closeImage(about.repo(), about.image(), open, null);
    output.print(closed, () -> "closed " + about.image());
    return Exit.DONE;
  }
}
