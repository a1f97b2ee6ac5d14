package io.quarry.agent.cli;

import io.quarry.common.api.HostInfo;
import io.quarry.common.api.HostInfo.HostRepository;
import io.quarry.common.api.RepositoryInfo;
import io.quarry.common.api.StorageApi;
import io.quarry.common.model.ImageState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
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
    elsewhere(repositories, api.listHosts()).forEach(output::remark);
    return Exit.DONE;
  }

  /** A restarted host may lack a repository that other hosts have connected. */
  private static List<String> elsewhere(List<RepositoryInfo> here, List<HostInfo> hosts) {
    Map<String, List<String>> hostsByRepo = new TreeMap<>();
    for (HostInfo host : hosts) {
      for (HostRepository repository : host.repositories()) {
        hostsByRepo
            .computeIfAbsent(repository.repoId(), id -> new ArrayList<>())
            .add(host.hostId());
      }
    }
    here.forEach(repository -> hostsByRepo.remove(repository.repoId()));
    return hostsByRepo.entrySet().stream()
        .map(entry ->
            "Not connected on this agent: "
                + entry.getKey()
                + ", which is on "
                + String.join(", ", entry.getValue()))
        .toList();
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
          visible(each),
          each.fixes());
    }
    return table;
  }

  private static int visible(RepositoryInfo repository) {
    return Stream.of(ImageState.values())
        .mapToInt(state -> repository.images().getOrDefault(state.label(), 0))
        .sum();
  }
}
