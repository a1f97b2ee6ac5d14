package io.quarry.agent.cli;

import io.quarry.common.api.StorageApi;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Follows commits and progress as they happen. */
@Command(
    name = "events",
    description = "Follows commits and progress as they happen.",
    footer = {"", "Example:", "  quarry events --since 1200"})
final class Events extends ApiCommand {
  @Option(
      names = "--since",
      paramLabel = "N",
      description = "Begin after this event. Default: with the next one.")
  private @Nullable Long since;

  @Override
  int run(StorageApi api, Output output) {
    throw NotBuilt.operation(
        "watchEvents",
        since == null ? "events" : "events since " + since,
        "Ask again and again with quarry task list and quarry image status.");
  }
}
