package io.quarry.it.vm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.Json;
import io.quarry.coordinator.thread.Deadline;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** QEMU's monitor protocol: the hardware of a running VM. */
final class Qmp implements Closeable {
  private static final Duration ANSWER_MAX = Duration.ofSeconds(60);

  private final JsonSocket socket;

  Qmp(Path path) throws IOException {
    this.socket = new JsonSocket(path);
    try {
      // QEMU greets first.
      socket.receive(Deadline.after(ANSWER_MAX));
      execute("qmp_capabilities", Map.of());
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  synchronized JsonNode execute(String command, Map<String, ?> arguments) throws IOException {
    Deadline deadline = Deadline.after(ANSWER_MAX);
    ObjectNode message = Json.MAPPER.createObjectNode();
    message.put("execute", command).set("arguments", Json.MAPPER.valueToTree(arguments));
    socket.send(message, deadline);
    while (true) {
      JsonNode answer = socket.receive(deadline);
      if (answer.has("error")) {
        throw new IOException(command + ": " + answer.get("error"));
      }
      // Events come in between.
      if (answer.has("return")) {
        return answer.get("return");
      }
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
