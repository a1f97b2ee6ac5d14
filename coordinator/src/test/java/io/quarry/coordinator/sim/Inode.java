package io.quarry.coordinator.sim;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A file's content: as readers see it, and as it would be after a power cut. */
final class Inode {
  /** The disk writes a block back whole or not at all. */
  private static final int BLOCK_BYTES = 512;

  private final long number;
  private byte[] seen = {};
  private byte[] durable = {};

  /** Whether any block waits to be written back. */
  private boolean dirty;

  private @Nullable SimChannel writer;
  private final Set<SimChannel> formerWriters = new HashSet<>();

  Inode(long number) {
    this.number = number;
  }

  /** Counts inodes in the order of their creation. */
  long number() {
    return number;
  }

  /**
   * A writer that was followed by another one must never write again: it may not know the other.
   */
  void writtenBy(SimChannel next, String path) {
    if (next == writer) {
      return;
    }
    if (formerWriters.contains(next)) {
      throw new AssertionError("two writers of one file: " + path);
    }
    if (writer != null) {
      formerWriters.add(writer);
    }
    writer = next;
  }

  byte[] content() {
    return seen.clone();
  }

  /** Reads like a channel: -1 at the end. */
  int read(ByteBuffer into, long at) {
    if (at >= seen.length) {
      return -1;
    }
    int length = Math.min(into.remaining(), Math.toIntExact(seen.length - at));
    into.put(seen, Math.toIntExact(at), length);
    return length;
  }

  long size() {
    return seen.length;
  }

  void write(long offset, byte[] bytes) {
    int end = Math.toIntExact(offset + bytes.length);
    if (end > seen.length) {
      seen = Arrays.copyOf(seen, end);
    }
    System.arraycopy(bytes, 0, seen, Math.toIntExact(offset), bytes.length);
    dirty = true;
  }

  void truncate(long size) {
    seen = Arrays.copyOf(seen, Math.toIntExact(size));
    dirty = true;
  }

  void force() {
    if (dirty) {
      durable = seen.clone();
      dirty = false;
    }
  }

  /** A block whose write-back failed is never tried again: a later force finds nothing to do. */
  void failForce() {
    dirty = false;
  }

  /** Any part of the unforced content may have been written back. */
  void powerCut(Random random) {
    byte[] left = Arrays.copyOf(random.nextBoolean() ? seen : durable, lengthLeft(random));
    for (int at = 0; at < left.length; at += BLOCK_BYTES) {
      byte[] from = random.nextBoolean() ? seen : durable;
      int end = Math.min(left.length, at + BLOCK_BYTES);
      byte[] block =
          Arrays.copyOf(
              Arrays.copyOfRange(from, Math.min(at, from.length), Math.min(end, from.length)),
              end - at);
      System.arraycopy(block, 0, left, at, block.length);
    }
    seen = left;
    durable = left.clone();
    dirty = false;
  }

  private int lengthLeft(Random random) {
    return random.nextBoolean() ? seen.length : durable.length;
  }
}
