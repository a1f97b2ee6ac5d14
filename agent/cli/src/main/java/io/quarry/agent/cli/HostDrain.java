package io.quarry.agent.cli;

import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes a host let go of its tasks and take no new ones. */
@Command(
    name = "drain",
    description = {
      "Makes a host let go of its tasks at their checkpoints, and take no new ones; others go on.",
      "It gives up managing repositories where another host can. Images stay open on it.",
      "This lasts, also over restarts, until --undo."
    },
    footer = {"", "Example:", "  quarry host drain host-1"})
final class HostDrain extends ApiCommand {
  @Parameters(paramLabel = "HOST", description = "The host's id.")
  private String host = "";

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
