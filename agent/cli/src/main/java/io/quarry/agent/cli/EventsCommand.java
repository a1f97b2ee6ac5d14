package io.quarry.agent.cli;

import io.quarry.common.api.Event;
import io.quarry.common.api.EventStream;
import io.quarry.common.api.StorageApi;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Follows commits and progress as they happen. */
@Command(
    name = "events",
    description = {
      "Follows commits and progress as they happen, until Ctrl-C.",
      "When the agent dies, another one goes on where it was.",
      "With -o json each line is an event, and a later call can begin after any eventId."
    },
    footer = {
      "",
      "Examples:",
      "  quarry events",
      "  quarry events --since 0 -o json",
      "  quarry events --since AXOi1w --count 100 -o json"
    })
final class EventsCommand extends ApiCommand {
  private static final Duration TURN = Duration.ofSeconds(1);

  @Option(
      names = "--since",
      paramLabel = "EVENT",
      description =
          "Begin after the event of that id, or with 0: at the beginning. Default: with the next"
              + " one.")
  private @Nullable String since;

  @Option(
      names = "--count",
      paramLabel = "N",
      description = "Stop after so many events. Default: go on.")
  private long count = Long.MAX_VALUE;

  @Override
  int run(StorageApi api, Output output) {
    if (count < 1) {
      throw badUsage("--count is " + count + " and must be at least 1.");
    }
    try (EventStream events = api.watchEvents(since)) {
      for (long told = 0; told < count && !Thread.currentThread().isInterrupted(); ) {
        Event event = events.next(TURN);
        if (event != null) {
          output.line(event, EventText.of(event));
          told++;
        }
      }
    }
    return Exit.DONE;
  }
}
