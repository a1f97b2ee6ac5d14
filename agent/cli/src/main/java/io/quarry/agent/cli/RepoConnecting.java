package io.quarry.agent.cli;

import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.HostInfo;
import io.quarry.common.api.RepositoryInfo;
import io.quarry.common.api.StorageApi;
import io.quarry.common.api.StorageException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The common part of commands that connect a repository, on one host or several. */
abstract class RepoConnecting extends ApiCommand {
  private static final String ALL = "all";

  /** One host's answer, as JSON. */
  record Connected(String hostId, RepositoryInfo repository) {}

  @Parameters(paramLabel = "NAME", description = "What to call it on the hosts it is connected on.")
  private String name = "";

  @Option(
      names = "--format",
      required = true,
      paramLabel = "FORMAT",
      description = "For example localfs-1.0.")
  private String format = "";

  @Option(
      names = "--param",
      paramLabel = "KEY=VALUE",
      description = "What the format needs; path for localfs. Repeatable.")
  private Map<String, String> parameters = new LinkedHashMap<>();

  @Option(
      names = "--transient",
      description = "The connection ends with the agent's process. Default: it outlives the agent.")
  private boolean ends;

  @Option(
      names = "--on",
      split = ",",
      paramLabel = "HOST",
      description = "Hosts to connect it on, or 'all'. Default: the agent addressed.")
  private List<String> on = List.of();

  /**
   * Asks one of the hosts.
   *
   * @param plain connects an existing repository
   * @param first whether the host is the first one
   */
  abstract RepositoryInfo connect(StorageApi host, ConnectRequest plain, boolean first);

  @Override
  int run(StorageApi api, Output output) {
    ConnectRequest plain = new ConnectRequest(name, format, parameters, null, !ends);
    if (on.isEmpty()) {
      RepositoryInfo connected = connect(api, plain, true);
      output.print(connected, () -> RepoList.table(List.of(connected)));
      return Exit.DONE;
    }
    List<Connected> connected = new ArrayList<>();
    for (HostInfo host : hosts(api)) {
      StorageApi there = main().api(List.of(host.endpoint()));
      connected.add(new Connected(host.hostId(), connect(there, plain, connected.isEmpty())));
    }
    output.print(connected, () -> table(connected));
    return Exit.DONE;
  }

  private List<HostInfo> hosts(StorageApi api) {
    List<HostInfo> live = api.listHosts();
    if (on.equals(List.of(ALL))) {
      return live;
    }
    return on.stream().map(wanted -> host(live, wanted)).toList();
  }

  private static Table table(List<Connected> connected) {
    Table table = new Table("HOST", "REPO", "FORMAT", "HEALTH", "SDM", ">FREE");
    for (Connected each : connected) {
      RepositoryInfo repository = each.repository();
      table.row(
          each.hostId(),
          repository.repoId(),
          repository.repoFormat(),
          repository.health(),
          repository.sdmHostId(),
          Units.bytes(repository.freeBytes()));
    }
    return table;
  }

  private static HostInfo host(List<HostInfo> live, String wanted) {
    return live.stream()
        .filter(host -> host.hostId().equals(wanted))
        .findFirst()
        .orElseThrow(() ->
            new StorageException(
                ErrorCode.HOST_NOT_FOUND,
                "no live host has this id",
                wanted,
                "See quarry host list."));
  }
}
