package io.quarry.agent.cli;

import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.StorageApi;
import io.quarry.common.model.ImageState;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Copies an image into a repository. */
@Command(
    name = "copy",
    description = {
      "Copies an image into a repository, and prints the id of the copy.",
      "A snapshot keeps its id; a disk's copy gets a new one."
    },
    footer = {"", "Example:", "  quarry image copy backup IMAGE --timeout 10m"})
final class CopyCommand extends ApiCommand {
  @Parameters(index = "0", paramLabel = "REPO", description = "Where to copy it to.")
  private String repo = "";

  @Parameters(index = "1", paramLabel = "IMAGE", description = "The image, in any repository.")
  private String source = "";

  @Option(
      names = "--base",
      paramLabel = "IMAGE",
      description = "Store only the difference to this image.")
  private @Nullable String base;

  @Mixin private ImageOptionsMixin image = new ImageOptionsMixin();
  @Mixin private WaitOptions wait = new WaitOptions();

  @Override
  int run(StorageApi api, Output output) {
    CreatedImage made =
        api.copyImage(
            repo, new CopyImageRequest(source, base, image.userData(), image.options()), null);
    return new Creation(api, main().shell(), output, wait)
        .finish(repo, made, made.imageId(), ImageState.OPTIMIZED, image.autoFix());
  }
}
