package io.quarry.agent.cli;

import io.quarry.common.api.Committed;
import io.quarry.common.api.StorageApi;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** The group of commands about repositories. */
@Command(
    name = "repo",
    description = "Commands about repositories.",
    footer = {"", "Example:", "  quarry repo list"},
    subcommands = {
      RepoConnecting.Create.class,
      RepoConnecting.Connect.class,
      RepoConnecting.Adopt.class,
      RepoList.class,
      RepoShow.class,
      RepoCommand.Upgrade.class,
      RepoCommand.Disconnect.class
    })
final class RepoCommand extends Group {
  /** Changes one repository that is connected. */
  abstract static class OfRepo extends ApiCommand {
    @Parameters(paramLabel = "REPO", description = "A connected repository.")
    String repo = "";
  }

  /** Gives a repository the features of this version. */
  @Command(
      name = "upgrade",
      description = {
        "Gives a repository all features that the agent addressed knows.",
        "There is no way back: older agents refuse the repository afterwards.",
        "The command is refused while a live host uses the repository with an older agent."
      },
      footer = {"", "Example:", "  quarry repo upgrade main"})
  static final class Upgrade extends OfRepo {
    @Override
    int run(StorageApi api, Output output) {
      Committed upgraded = api.upgradeStorageRepository(repo, null);
      output.print(upgraded, () -> "upgraded " + repo);
      return Exit.DONE;
    }
  }

  /** Disconnects a repository from the agent addressed. */
  @Command(
      name = "disconnect",
      description = {
        "Disconnects a repository from the agent addressed.",
        "Tasks that run on it there are released first; other hosts go on with them."
      },
      footer = {"", "Example:", "  quarry repo disconnect main"})
  static final class Disconnect extends OfRepo {
    @Override
    int run(StorageApi api, Output output) {
      api.disconnectStorageRepository(repo);
      output.print(Map.of("repoId", repo), () -> "disconnected " + repo);
      return Exit.DONE;
    }
  }
}
