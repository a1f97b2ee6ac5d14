package io.quarry.agent.cli;

import io.quarry.common.api.Committed;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StorageApi;
import java.time.Duration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Removes an image. */
@Command(
    name = "remove",
    description = {
      "Removes an image, finished or not.",
      "Its data goes as soon as nothing depends on it."
    },
    footer = {"", "Example:", "  quarry image remove main IMAGE --retain 7d"})
final class ImageRemove extends ApiCommand {
  @Parameters(index = "0", paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Parameters(index = "1", paramLabel = "IMAGE", description = "The image's id.")
  private String image = "";

  @Option(
      names = "--retain",
      paramLabel = "DURATION",
      converter = Span.class,
      description = "Keep the data this long, so that quarry image restore can undo the removal.")
  private Duration retain = Duration.ZERO;

  @Option(names = "--no-auto-fix", description = "Only commit; cleaning waits for quarry fix.")
  private boolean noAutoFix;

  @Override
  int run(StorageApi api, Output output) {
    Committed removed =
        api.removeImage(repo, image, new RemoveImageOptions(!noAutoFix, retain), null);
    output.print(removed, () -> "removed " + image);
    return Exit.DONE;
  }
}
