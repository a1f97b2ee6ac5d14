package io.quarry.agent.cli;

import io.quarry.common.api.HostInfo;
import io.quarry.common.api.HostInfo.HostRepository;
import io.quarry.common.api.StorageApi;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;

/** Lists the live hosts. */
@Command(
    name = "list",
    description = {
      "Lists the live hosts with their repositories and load.",
      "A repository marked * is managed by that host, one marked ! does not answer there."
    },
    footer = {"", "Example:", "  quarry host list"})
final class HostList extends ApiCommand {
  @Override
  int run(StorageApi api, Output output) {
    List<HostInfo> hosts = api.listHosts();
    output.print(hosts, () -> table(hosts));
    return Exit.DONE;
  }

  private static Table table(List<HostInfo> hosts) {
    Table table =
        new Table("HOST", "ENDPOINT", "STATE", ">FIXES", "REPOSITORIES", "VERSION", "STARTED");
    for (HostInfo host : hosts) {
      table.row(
          host.hostId(),
          host.endpoint(),
          state(host),
          host.runningFixes() + "/" + host.heavyFixesMax(),
          host.repositories().stream().map(HostList::mark).collect(Collectors.joining(", ")),
          host.version(),
          Units.time(host.startedAt()));
    }
    return table;
  }

  private static String state(HostInfo host) {
    String state = host.drainedSince() == null ? "ready" : "drained";
    Double ahead = host.clockAheadSeconds();
    return ahead == null ? state : "%s, clock %+.0f s".formatted(state, ahead);
  }

  private static String mark(HostRepository repository) {
    return repository.repoId() + (repository.sdm() ? "*" : "") + (repository.healthy() ? "" : "!");
  }
}
