package io.quarry.agent.cli;

import io.quarry.common.api.StorageApi;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** Limits how fast a host copies. */
@Command(
    name = "throttle",
    description = "Limits how fast the host addressed copies, also what it copies now.",
    footer = {
      "",
      "Example, 100 MiB a second, then as fast as it goes:",
      "  quarry throttle 100M",
      "  quarry throttle off"
    })
final class ThrottleCommand extends ApiCommand {
  private static final Set<String> NO_LIMIT = Set.of("off", "none", "unlimited");
  private static final long MIB = 1L << 20;

  @Parameters(
      paramLabel = "RATE",
      description = "How much a second, such as 100M; off or 0 means no limit.")
  private String rate = "";

  @Override
  int run(StorageApi api, Output output) {
    long bytes = bytes();
    api.setThrottle(bytes);
    if (rate.equals(Long.toString(bytes)) && bytes > 0 && bytes < MIB) {
      output.remark("%1$d means %1$d B/s; %1$dM is %1$d MiB/s".formatted(bytes));
    }
    output.print(
        Map.of("bytesPerSecond", bytes),
        () -> bytes == 0 ? "no limit" : "limited to " + Units.rate(bytes));
    return Exit.DONE;
  }

  private long bytes() {
    if (NO_LIMIT.contains(rate.toLowerCase(Locale.ROOT))) {
      return 0;
    }
    try {
      return Size.parse(rate).bytes();
    } catch (TypeConversionException e) {
      throw badUsage(e.getMessage() + ", or off");
    }
  }
}
