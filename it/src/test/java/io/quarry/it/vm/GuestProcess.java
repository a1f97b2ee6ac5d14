package io.quarry.it.vm;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.coordinator.thread.Deadline;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
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
  record Ended(int exitCode, String out, String errors) {}

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
            text(status.path("out-data")),
            text(status.path("err-data")));
      }
      if (deadline.passed()) {
        throw new IOException(command + ": no end within " + timeout);
      }
      TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
    }
  }

  /** The guest agent leaves out what is empty. */
  private static String text(JsonNode base64) {
    return new String(Base64.getDecoder().decode(base64.asText()), StandardCharsets.UTF_8);
  }
}
