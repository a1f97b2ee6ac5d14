package io.quarry.agent.cli;

import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Makes a host let go of its tasks and take no new ones. */
@Command(
    name = "drain",
    description = "Makes a host let go of its tasks and take no new ones.",
    footer = {"", "Example:", "  quarry host drain host-1"})
final class HostDrain extends ApiCommand {
  @Parameters(paramLabel = "HOST", description = "The host's id.")
  private String host = "";

  @Override
  int run(StorageApi api, Output output) {
    throw NotBuilt.operation(
        "drainHost", host, "Release its tasks one by one with quarry task release.");
  }
}
