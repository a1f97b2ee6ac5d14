package io.quarry.agent.cli;

import io.quarry.common.api.Committed;
import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Undoes the removal of an image that is still retained. */
@Command(
    name = "restore",
    description = "Undoes the removal of an image that is retained or not cleaned yet.",
    footer = {"", "Example:", "  quarry image restore main IMAGE"})
final class ImageRestore extends ApiCommand {
  @Mixin private ImageArguments about = new ImageArguments();

  @Override
  int run(StorageApi api, Output output) {
    Committed restored = api.restoreImage(about.repo(), about.image(), null);
    output.print(restored, () -> "restored " + about.image());
    return Exit.DONE;
  }
}
