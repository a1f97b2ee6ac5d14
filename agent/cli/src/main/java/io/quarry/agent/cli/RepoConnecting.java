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
import picocli.CommandLine.Command;
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
      description = "localfs-1.0 or nfs-3.4.")
  private String format = "";

  @Option(
      names = "--param",
      paramLabel = "KEY=VALUE",
      description = {
        "What the format needs. Repeatable.",
        "localfs-1.0: path, group, immutable.",
        "nfs-3.4: server, export, options; or path; owner, group."
      })
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

  /** Makes an empty storage into a repository, and connects it. */
  @Command(
      name = "create",
      description = {
        "Makes an empty storage into a repository, and connects it.",
        "Storage that is a repository already is connected as it is."
      },
      footer = {
        "",
        "Example:",
        "  quarry repo create main --format localfs-1.0 --param path=/srv/main --on all"
      })
  static final class Create extends RepoConnecting {
    /**
     * Only the first host creates: the others find what the first one made, or have another mount.
     */
    @Override
    RepositoryInfo connect(StorageApi host, ConnectRequest plain, boolean first) {
      return first ? host.createStorageRepository(plain) : host.connectStorageRepository(plain);
    }
  }

  /** Connects a repository that is there. */
  @Command(
      name = "connect",
      description = "Connects a repository on the agent addressed, or on the hosts named.",
      footer = {
        "",
        "Example:",
        "  quarry repo connect main --format localfs-1.0 --param path=/srv/main --on all"
      })
  static final class Connect extends RepoConnecting {
    @Override
    RepositoryInfo connect(StorageApi host, ConnectRequest plain, boolean first) {
      return host.connectStorageRepository(plain);
    }
  }

  /** Connects a storage that is refused because it is not the one that its SDM writes to. */
  @Command(
      name = "adopt",
      description = {
        "Connects a storage that is not the one its SDM writes to.",
        "A copy becomes a repository of its own, with a key of its own.",
        "With --restored, a storage from a backup takes the place of the newer one: disconnect the"
            + " newer one on all hosts first, and adopt the restored one on all of them."
      },
      footer = {
        "",
        "Example:",
        "  quarry repo adopt copy --format localfs-1.0 --param path=/srv/copy-of-main"
      })
  static final class Adopt extends RepoConnecting {
    @Option(names = "--restored", description = "The storage was restored from a backup.")
    private boolean restored;

    /** A copy gets its key once; restored storage is to be believed by each host. */
    @Override
    RepositoryInfo connect(StorageApi host, ConnectRequest plain, boolean first) {
      var kind =
          restored ? ConnectRequest.Adopt.RESTORED : first ? ConnectRequest.Adopt.COPY : null;
      return host.connectStorageRepository(
          new ConnectRequest(
              plain.repoId(),
              plain.repoFormat(),
              plain.connectionParameters(),
              kind,
              plain.persistent()));
    }
  }
}
