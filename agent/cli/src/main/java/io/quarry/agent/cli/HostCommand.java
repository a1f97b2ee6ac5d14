package io.quarry.agent.cli;

import io.quarry.common.api.StorageApi;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The group of commands about hosts. */
@Command(
    name = "host",
    description = "Commands about hosts.",
    footer = {"", "Example:", "  quarry host list"},
    subcommands = {HostList.class, HostCommand.Drain.class, HostCommand.Fence.class})
final class HostCommand extends Group {
  /** Changes what one host takes part in. */
  abstract static class OfHost extends ApiCommand {
    @Parameters(paramLabel = "HOST", description = "The host's id.")
    String host = "";
  }

  /** Makes a host let go of its tasks and take no new ones. */
  @Command(
      name = "drain",
      description = {
        "Makes a host let go of its tasks at their checkpoints, and take no new ones; others go"
            + " on.",
        "It gives up managing repositories where another host can. Images stay open on it.",
        "This lasts, also over restarts, until --undo."
      },
      footer = {"", "Example:", "  quarry host drain host-1"})
  static final class Drain extends OfHost {
    @Option(names = "--undo", description = "Let the host take part again.")
    private boolean undo;

    @Override
    int run(StorageApi api, Output output) {
      api.drainHost(host, !undo);
      output.print(
          new Drained(host, !undo), () -> undo ? host + " takes part again" : "drained " + host);
      return Exit.DONE;
    }

    private record Drained(String hostId, boolean drained) {}
  }

  /** Confirms that a host is dead. */
  @Command(
      name = "fence",
      description = {
        "Confirms that a host is dead: its claims and opens end, and others go on with its work.",
        "Make sure that it is off or cut from the storage: if it lives, two hosts may write one"
            + " file."
      },
      footer = {"", "Example:", "  quarry host fence host-1"})
  static final class Fence extends OfHost {
    @Override
    int run(StorageApi api, Output output) {
      api.fenceHost(host);
      output.print(Map.of("hostId", host), () -> "fenced " + host);
      return Exit.DONE;
    }
  }
}
