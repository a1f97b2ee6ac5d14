package io.quarry.agent.cli;

import io.quarry.common.api.ImageExplanation;
import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Explains the state of an image. */
@Command(
    name = "explain",
    description = {
      "Explains what an image lacks, which fix will do it, and which host works on it or why none"
          + " does.",
      "Removed images can be explained, too, until they are cleaned."
    },
    footer = {"", "Example:", "  quarry image explain main IMAGE"})
final class ImageExplain extends ApiCommand {
  @Mixin private ImageArguments about = new ImageArguments();

  @Override
  int run(StorageApi api, Output output) {
    ImageExplanation explanation = api.explainImage(about.repo(), about.image(), 0);
    output.print(explanation, () -> String.join("\n", explanation.sentences()));
    return Exit.DONE;
  }
}
