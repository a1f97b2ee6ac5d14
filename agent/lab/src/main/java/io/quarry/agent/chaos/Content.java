package io.quarry.agent.chaos;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The bytes that a guest would read: one value per chunk. Immutable. */
final class Content {
  static final int CHUNK_BYTES = 64 << 10;

  /** A chunk where a guest's write may or may not have finished. */
  private static final short ANYTHING = -1;

  private final short[] chunks;

  private Content(short[] chunks) {
    this.chunks = chunks;
  }

  static Content zeros(int chunks) {
    return new Content(new short[chunks]);
  }

  int chunks() {
    return chunks.length;
  }

  long bytes() {
    return (long) chunks.length * CHUNK_BYTES;
  }

  Content grownTo(int count) {
    return new Content(Arrays.copyOf(chunks, count));
  }

  Content with(Write write) {
    return filled(write, (short) write.value());
  }

  /** The content after a write that failed. */
  Content withDoubt(Write write) {
    return filled(write, ANYTHING);
  }

  private Content filled(Write write, short value) {
    short[] changed = chunks.clone();
    Arrays.fill(changed, write.first(), write.first() + write.count(), value);
    return new Content(changed);
  }

  /** The value of each byte of a chunk. */
  byte value(int chunk) {
    return (byte) Math.max(0, chunks[chunk]);
  }

  /**
   * The difference between these bytes and a chunk, from its beginning on; null when they are
   * equal.
   */
  @Nullable String compare(int chunk, byte[] found, int length) {
    if (chunks[chunk] == ANYTHING) {
      return null;
    }
    byte expected = value(chunk);
    for (int at = 0; at < length; at++) {
      if (found[at] != expected) {
        return "byte %d is %d and not %d"
            .formatted((long) chunk * CHUNK_BYTES + at, found[at] & 0xff, expected & 0xff);
      }
    }
    return null;
  }

  /**
   * A run of whole chunks that get one value.
   *
   * @param value 0 to 255
   */
  record Write(int first, int count, int value) {
    String command() {
      return "write -P %d %d %d"
          .formatted(value, (long) first * CHUNK_BYTES, (long) count * CHUNK_BYTES);
    }
  }
}
