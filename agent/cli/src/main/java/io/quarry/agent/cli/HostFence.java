package io.quarry.agent.cli;

import io.quarry.common.api.StorageApi;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Confirms that a host is dead. */
@Command(
    name = "fence",
    description = {
      "Confirms that a host is dead: its claims and opens end, and others go on with its work.",
      "Make sure that it is off or cut from the storage: if it lives, two hosts may write one file."
    },
    footer = {"", "Example:", "  quarry host fence host-1"})
final class HostFence extends ApiCommand {
  @Parameters(paramLabel = "HOST", description = "The host's id.")
  private String host = "";

  @Override
  int run(StorageApi api, Output output) {
    api.fenceHost(host);
    output.print(Map.of("hostId", host), () -> "fenced " + host);
    return Exit.DONE;
  }
}
