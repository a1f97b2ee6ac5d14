package io.quarry.agent.cli;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of all commands that start work. */
final class WaitOptions {
  @Option(names = "--no-wait", description = "Return as soon as it is committed.")
  private boolean noWait;

  @Option(
      names = "--timeout",
      paramLabel = "DURATION",
      converter = Span.class,
      description = "Wait no longer than this, such as 90s or 5m; the operation goes on.")
  private @Nullable Duration timeout;

  boolean waits() {
    return !noWait;
  }

  @Nullable Duration timeout() {
    return timeout;
  }
}
