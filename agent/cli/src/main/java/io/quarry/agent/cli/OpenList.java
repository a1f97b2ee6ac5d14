package io.quarry.agent.cli;

import io.quarry.common.api.OpenInfo;
import io.quarry.common.api.RepositoryInfo;
import io.quarry.common.api.StorageApi;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Lists who has images open. */
@Command(
    name = "list",
    description = {
      "Lists who has images open, in all repositories connected on the agent addressed.",
      "STATE is what speaks against the user's life; quarry check says what to do about it."
    },
    footer = {"", "Example:", "  quarry open list --host host-1"})
final class OpenList extends ApiCommand {
  @Option(names = "--host", paramLabel = "HOST", description = "Only this host's.")
  private @Nullable String host;

  @Option(names = "--repo", paramLabel = "REPO", description = "Only of this repository.")
  private @Nullable String repo;

  @Override
  int run(StorageApi api, Output output) {
    Map<String, List<OpenInfo>> opens = new TreeMap<>();
    for (String each : repositories(api, repo)) {
      opens.put(each, api.listOpens(each, host, 0));
    }
    boolean none = opens.values().stream().allMatch(List::isEmpty);
    output.print(opens, () -> none ? "nothing is open" : table(opens));
    return Exit.DONE;
  }

  /** The named repository, or all that the agent has connected. */
  static List<String> repositories(StorageApi api, @Nullable String repo) {
    return repo != null
        ? List.of(repo)
        : api.listStorageRepositories().stream().map(RepositoryInfo::repoId).toList();
  }

  private static Table table(Map<String, List<OpenInfo>> opens) {
    Table table =
        new Table("OPEN", "REPO", "IMAGE", "USE", "HOST", "OWNER", "ACCESS", "SINCE", "STATE");
    opens.forEach((repo, all) ->
        all.forEach(open ->
            table.row(
                open.openId(),
                repo,
                open.imageId(),
                open.use().label(),
                open.hostId(),
                open.owner(),
                open.readOnly() ? "read-only" : "read-write",
                Units.time(open.since()),
                open.state().label())));
    return table;
  }
}
