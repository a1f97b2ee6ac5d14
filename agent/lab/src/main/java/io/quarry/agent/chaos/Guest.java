package io.quarry.agent.chaos;

import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.Sha256;
import io.quarry.common.model.ImageKind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Reads and writes opened images as a VM would: with QEMU, by the answer of an open. */
final class Guest implements AutoCloseable {
  private static final Duration DEADLINE = Duration.ofMinutes(2);
  private static final Duration END_MAX = Duration.ofSeconds(10);

  private final Path scratch;
  private final Children children = new Children(new Spawner(), "guests");

  /** SHA-256 of each snapshot as it was first read, by its id: copies keep id and content. */
  private final Map<String, String> frozen = new ConcurrentHashMap<>();

  Guest(Path scratch) {
    this.scratch = scratch;
  }

  /** Writes, flushes, and returns only when all writes are durable. */
  void write(OpenedImage opened, List<Content.Write> writes)
      throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of("qemu-io"));
    for (Content.Write write : writes) {
      words.addAll(List.of("-c", write.command()));
    }
    words.addAll(List.of("-c", "flush", name(opened)));
    children.run(words, DEADLINE).orFail();
  }

  /** Reads the whole image and returns the first difference, or null. */
  @Nullable String compare(OpenedImage opened, Owned image)
      throws IOException, InterruptedException {
    long expected = image.content.bytes();
    if (opened.size() != expected) {
      return "it has %d bytes and not %d".formatted(opened.size(), expected);
    }
    Path copy = Files.createTempFile(scratch, "guest-", ".raw");
    try {
      children
          .run(
              List.of("qemu-img", "convert", "-U", "-O", "raw", name(opened), copy.toString()),
              DEADLINE)
          .orFail();
      try (InputStream in = Files.newInputStream(copy)) {
        return compare(in, image);
      }
    } finally {
      Files.delete(copy);
    }
  }

  /** A snapshot must have the same bytes each time, also where a guest may have failed to write. */
  @Nullable String compare(InputStream in, Owned image) throws IOException {
    MessageDigest digest = Sha256.fresh();
    String wrong = compare(new DigestInputStream(in, digest), image.content);
    if (wrong != null || image.kind != ImageKind.SNAPSHOT) {
      return wrong;
    }
    String found = HexFormat.of().formatHex(digest.digest());
    String first = frozen.putIfAbsent(image.imageId, found);
    return first == null || first.equals(found)
        ? null
        : "it has the SHA-256 " + found + ", and had " + first + " when it was first read";
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

  /**
   * The image in the form that QEMU's tools take as a file name, without the files' own backing
   * names.
   */
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
