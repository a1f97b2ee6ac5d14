package io.quarry.agent.cli;

import io.quarry.common.api.StorageApi;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Disconnects a repository from the agent addressed. */
@Command(
    name = "disconnect",
    description = {
      "Disconnects a repository from the agent addressed.",
      "Tasks that run on it there are released first; other hosts go on with them."
    },
    footer = {"", "Example:", "  quarry repo disconnect main"})
final class RepoDisconnect extends ApiCommand {
  @Parameters(paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Override
  int run(StorageApi api, Output output) {
    api.disconnectStorageRepository(repo);
    output.print(Map.of("repoId", repo), () -> "disconnected " + repo);
    return Exit.DONE;
  }
}
