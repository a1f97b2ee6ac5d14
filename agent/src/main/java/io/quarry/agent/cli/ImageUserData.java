package io.quarry.agent.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.Committed;
import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Replaces an image's user data. */
@Command(
    name = "user-data",
    description = "Replaces an image's user data as a whole.",
    footer = {"", "Example:", "  quarry image user-data main IMAGE '{\"name\": \"web\"}'"})
final class ImageUserData extends ApiCommand {
  @Parameters(index = "0", paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Parameters(index = "1", paramLabel = "IMAGE", description = "The image's id.")
  private String image = "";

  @Parameters(
      index = "2",
      paramLabel = "JSON",
      converter = ImageOptionsMixin.UserData.class,
      description = "A JSON object, {} for none.")
  private ObjectNode userData = JsonNodeFactory.instance.objectNode();

  @Override
  int run(StorageApi api, Output output) {
    Committed done = api.setUserData(repo, image, userData, null);
    output.print(done, () -> "replaced the user data of " + image);
    return Exit.DONE;
  }
}
