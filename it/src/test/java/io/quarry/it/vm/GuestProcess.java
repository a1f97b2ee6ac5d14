package io.quarry.it.vm;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.coordinator.thread.Deadline;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A program that runs in a VM. */
final class GuestProcess {
  private static final long POLL_MILLIS = 100;

  private final GuestAgent agent;
  private final long pid;
  private final List<String> command;

  GuestProcess(GuestAgent agent, long pid, List<String> command) {
    this.agent = agent;
    this.pid = pid;
    this.command = command;
  }

  /**
   * How a program ended.
   *
   * @param exitCode -1 after a signal
   */
  record Ended(int exitCode, byte[] out, byte[] err) {
    String text() {
      return new String(out, StandardCharsets.UTF_8);
    }

    String errors() {
      return new String(err, StandardCharsets.UTF_8);
    }
  }

  long pid() {
    return pid;
  }

  Ended await(Duration timeout) throws IOException, InterruptedException {
    Deadline deadline = Deadline.after(timeout);
    while (true) {
      JsonNode status = agent.call("guest-exec-status", Map.of("pid", pid));
      if (status.path("exited").asBoolean()) {
        return new Ended(
            status.path("exitcode").asInt(-1),
            status.path("out-data").binaryValue() == null
                ? new byte[0]
                : status.path("out-data").binaryValue(),
            status.path("err-data").binaryValue() == null
                ? new byte[0]
                : status.path("err-data").binaryValue());
      }
      if (deadline.passed()) {
        throw new IOException(command + ": no end within " + timeout);
      }
      TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
    }
  }
}
