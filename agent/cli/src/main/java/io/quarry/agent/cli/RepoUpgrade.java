package io.quarry.agent.cli;

import io.quarry.common.api.Committed;
import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Gives a repository the features of this version. */
@Command(
    name = "upgrade",
    description = {
      "Gives a repository all features that the agent addressed knows.",
      "There is no way back: older agents refuse the repository afterwards.",
      "The command is refused while a live host uses the repository with an older agent."
    },
    footer = {"", "Example:", "  quarry repo upgrade main"})
final class RepoUpgrade extends ApiCommand {
  @Parameters(paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Override
  int run(StorageApi api, Output output) {
    Committed upgraded = api.upgradeStorageRepository(repo, null);
    output.print(upgraded, () -> "upgraded " + repo);
    return Exit.DONE;
  }
}
