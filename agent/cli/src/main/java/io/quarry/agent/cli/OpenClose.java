package io.quarry.agent.cli;

import io.quarry.common.api.CloseOpensRequest;
import io.quarry.common.api.ClosedOpens;
import io.quarry.common.api.Committed;
import io.quarry.common.api.StorageApi;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Ends one open, or the opens of a host whose users have ended. */
@Command(
    name = "close",
    description = {
      "Ends one open, or gives up an upload.",
      "With --host and --dead: ends what a dead or rebooted host had open, in all repositories."
          + " Opens that are in use stay."
    },
    footer = {
      "",
      "Examples:",
      "  quarry open close main OPEN",
      "  quarry open close --host host-1 --dead"
    })
final class OpenClose extends ApiCommand {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "REPO",
      description = "A connected repository.")
  private @Nullable String repo;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "OPEN",
      description = "The open's id, from open list.")
  private @Nullable String open;

  @Option(names = "--host", paramLabel = "HOST", description = "Whose opens are to end.")
  private @Nullable String host;

  @Option(
      names = "--dead",
      description = "You vouch that the users on that host have ended; needed with --host.")
  private boolean dead;

  @Option(
      names = "--force",
      description = "Although a process is seen that writes: you vouch that it has ended, too.")
  private boolean force;

  @Override
  int run(StorageApi api, Output output) {
    if (host != null) {
      if (open != null) {
        throw badUsage("give either OPEN or --host");
      }
      if (!dead) {
        throw badUsage(
            "--host needs --dead: make sure that the users on " + host + " have ended, and add it");
      }
      return closeDead(api, output, host);
    }
    if (repo == null || open == null) {
      throw badUsage("give REPO and OPEN, or --host HOST --dead");
    }
    if (dead) {
      throw badUsage("--dead is about a host: give --host, or --force for one open");
    }
    Committed closed = api.closeOpen(repo, open, force, null);
    output.print(closed, () -> "closed " + open);
    return Exit.DONE;
  }

  private int closeDead(StorageApi api, Output output, String deadHost) {
    Map<String, List<String>> closed = new TreeMap<>();
    int kept = 0;
    for (String each : OpenList.repositories(api, repo)) {
      List<String> ids = new ArrayList<>();
      ClosedOpens some;
      do {
        some = api.closeOpens(each, new CloseOpensRequest(deadHost, true, force), null);
        ids.addAll(some.openIds());
      } while (some.more());
      closed.put(each, ids);
      kept += some.kept();
    }
    int count = closed.values().stream().mapToInt(List::size).sum();
    output.print(closed, () -> "closed " + count + " opens of " + deadHost);
    if (kept > 0) {
      output.remark(
          kept
              + " opens of "
              + deadHost
              + " are in use and stay. End one with quarry open close REPO OPEN.");
    }
    return Exit.DONE;
  }
}
