package io.quarry.agent.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.Committed;
import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Replaces an image's user data. */
@Command(
    name = "user-data",
    description = "Replaces an image's user data as a whole.",
    footer = {"", "Example:", "  quarry image user-data main IMAGE '{\"name\": \"web\"}'"})
final class ImageUserData extends ApiCommand {
  @Mixin private ImageArguments about = new ImageArguments();

  @Parameters(
      index = "2",
      paramLabel = "JSON",
      converter = ImageOptionsMixin.UserData.class,
      description = "A JSON object, {} for none.")
  private ObjectNode userData = JsonNodeFactory.instance.objectNode();

  @Override
  int run(StorageApi api, Output output) {
    Committed done = api.setUserData(about.repo(), about.image(), userData, null);
    output.print(done, () -> "replaced the user data of " + about.image());
    return Exit.DONE;
  }
}
