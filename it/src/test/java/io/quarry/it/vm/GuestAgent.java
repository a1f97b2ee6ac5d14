package io.quarry.it.vm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.Json;
import io.quarry.coordinator.thread.Deadline;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/**
 * QEMU's guest agent, which runs programs in a VM. Several threads may ask; programs run at once.
 */
final class GuestAgent implements Closeable {
  private static final Duration ANSWER_MAX = Duration.ofMinutes(2);

  private final JsonSocket socket;

  /** Waits until the guest has booted as far as its agent. */
  GuestAgent(Path path, Deadline booted) throws IOException {
    this.socket = new JsonSocket(path);
    try {
      int id = ThreadLocalRandom.current().nextInt(1, Integer.MAX_VALUE);
      send("guest-sync-delimited", Map.of("id", id), booted);
      JsonNode answer;
      do {
        // Answers to an earlier connection may come first.
        answer = socket.receive(booted);
      } while (answer.path("return").asInt() != id);
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /** Starts a program. The guest keeps up to 16 MiB of its output. */
  GuestProcess exec(List<String> command) throws IOException {
    Map<String, ?> arguments =
        Map.of(
            "path",
            command.getFirst(),
            "arg",
            command.subList(1, command.size()),
            "capture-output",
            true);
    return new GuestProcess(this, call("guest-exec", arguments).path("pid").asLong(), command);
  }

  synchronized JsonNode call(String command, Map<String, ?> arguments) throws IOException {
    Deadline deadline = Deadline.after(ANSWER_MAX);
    send(command, arguments, deadline);
    JsonNode answer = socket.receive(deadline);
    if (!answer.has("return")) {
      throw new IOException(command + ": " + answer);
    }
    return answer.get("return");
  }

  private void send(String command, Map<String, ?> arguments, Deadline deadline)
      throws IOException {
    ObjectNode message = Json.MAPPER.createObjectNode();
    message.put("execute", command).set("arguments", Json.MAPPER.valueToTree(arguments));
    socket.send(message, deadline);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
