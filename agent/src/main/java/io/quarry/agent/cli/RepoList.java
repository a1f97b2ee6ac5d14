package io.quarry.agent.cli;

import io.quarry.common.api.RepositoryInfo;
import io.quarry.common.api.StorageApi;
import java.util.List;
import picocli.CommandLine.Command;

/** Lists the repositories connected on the agent addressed. */
@Command(
    name = "list",
    description = "Lists the repositories connected on the agent addressed.",
    footer = {"", "Example:", "  quarry repo list"})
final class RepoList extends ApiCommand {
  @Override
  int run(StorageApi api, Output output) {
    List<RepositoryInfo> repositories = api.listStorageRepositories();
    output.print(repositories, () -> table(repositories));
    return Exit.DONE;
  }

  static Table table(List<RepositoryInfo> repositories) {
    Table table =
        new Table(
            "REPO", "FORMAT", "HEALTH", "SDM", ">SIZE", ">FREE", ">USED", ">IMAGES", ">FIXES");
    for (RepositoryInfo each : repositories) {
      table.row(
          each.repoId(),
          each.repoFormat(),
          each.health(),
          each.sdmHostId(),
          Units.bytes(each.capacityBytes()),
          Units.bytes(each.freeBytes()),
          Units.bytes(each.usedBytes()),
          strong(each),
          each.fixes());
    }
    return table;
  }

  private static int strong(RepositoryInfo repository) {
    return repository.images().entrySet().stream()
        .filter(state -> !state.getKey().equals("weak"))
        .mapToInt(state -> state.getValue())
        .sum();
  }
}
