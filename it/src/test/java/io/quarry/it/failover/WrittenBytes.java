package io.quarry.it.failover;

import io.quarry.agent.dev.LocalHost;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** The bytes that each life of each agent wrote, as the kernel counts them. */
final class WrittenBytes {
  private final Map<Long, Long> byPid = new HashMap<>();

  void look(LocalHost host) throws IOException {
    long pid = host.agentPid().orElseThrow();
    for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/io"))) {
      if (line.startsWith("wchar: ")) {
        byPid.put(pid, Long.valueOf(line.substring("wchar: ".length())));
      }
    }
  }

  long sum() {
    return byPid.values().stream().mapToLong(Long::longValue).sum();
  }
}
