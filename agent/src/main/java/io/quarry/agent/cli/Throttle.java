package io.quarry.agent.cli;

import io.quarry.common.api.StorageApi;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Limits how fast a host copies. */
@Command(
    name = "throttle",
    description = "Limits how fast the host addressed copies, also what it copies now.",
    footer = {
      "",
      "Example, 100 MiB a second, then as fast as it goes:",
      "  quarry throttle 100M",
      "  quarry throttle 0"
    })
final class Throttle extends ApiCommand {
  @Parameters(
      paramLabel = "RATE",
      converter = Size.Converter.class,
      description = "Bytes a second, such as 100M; 0 means no limit.")
  private Size rate = new Size(0);

  @Override
  int run(StorageApi api, Output output) {
    api.setThrottle(rate.bytes());
    output.print(
        Map.of("bytesPerSecond", rate.bytes()),
        () -> rate.bytes() == 0 ? "no limit" : "limited to " + Units.rate(rate.bytes()));
    return Exit.DONE;
  }
}
