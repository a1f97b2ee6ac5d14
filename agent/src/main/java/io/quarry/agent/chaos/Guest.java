package io.quarry.agent.chaos;

import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.common.api.OpenedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads and writes opened images as a virtual machine would: with QEMU, by what an open says. */
final class Guest implements AutoCloseable {
  private static final Duration DEADLINE = Duration.ofMinutes(2);
  private static final Duration END_MAX = Duration.ofSeconds(10);

  private final Path scratch;
  private final Children children = new Children(new Spawner(), "guests");

  Guest(Path scratch) {
    this.scratch = scratch;
  }

  /** Writes, and flushes. Returns only when all of it is durable. */
  void write(OpenedImage opened, List<Content.Write> writes)
      throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of("qemu-io"));
    for (Content.Write write : writes) {
      words.addAll(List.of("-c", write.command()));
    }
    words.addAll(List.of("-c", "flush", name(opened)));
    children.run(words, DEADLINE).orFail();
  }

  /** Reads all of it; what is wrong with it, or null. */
  @Nullable String compare(OpenedImage opened, Content expected)
      throws IOException, InterruptedException {
    if (opened.size() != expected.bytes()) {
      return "it has %d bytes and not %d".formatted(opened.size(), expected.bytes());
    }
    Path copy = Files.createTempFile(scratch, "guest-", ".raw");
    try {
      children
          .run(
              List.of("qemu-img", "convert", "-U", "-O", "raw", name(opened), copy.toString()),
              DEADLINE)
          .orFail();
      try (InputStream in = Files.newInputStream(copy)) {
        return compare(in, expected);
      }
    } finally {
      Files.delete(copy);
    }
  }

  static @Nullable String compare(InputStream in, Content expected) throws IOException {
    byte[] buffer = new byte[Content.CHUNK_BYTES];
    for (int chunk = 0; chunk < expected.chunks(); chunk++) {
      int read = in.readNBytes(buffer, 0, buffer.length);
      if (read < buffer.length) {
        return "it ends in chunk " + chunk + " of " + expected.chunks();
      }
      String wrong = expected.compare(chunk, buffer, read);
      if (wrong != null) {
        return wrong;
      }
    }
    return in.read() < 0 ? null : "it has more bytes than " + expected.bytes();
  }

  /** As QEMU's tools take it for a file name; what the files' headers say does not count. */
  private static String name(OpenedImage opened) {
    return "json:" + opened.blockdev().deepCopy().without("node-name");
  }

  @Override
  public void close() throws IOException {
    try {
      children.stopAll(END_MAX);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
