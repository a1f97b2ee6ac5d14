package io.quarry.coordinator.log;

import io.quarry.coordinator.log.SlotStore.Reserve;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** The disk that several {@link MemorySlotStore}s share: names, a head, and a limited space. */
public final class MemoryDisk {
  public static final int BALLAST_BYTES = 4_096;

  private final Map<String, byte[]> files = new HashMap<>();
  private OptionalLong head = OptionalLong.empty();
  private long freeBytes = Long.MAX_VALUE;
  private int ballast;

  private final BiConsumer<String, byte[]> onLink;

  /** A disk with a new log. */
  public MemoryDisk() {
    this((name, content) -> {});
  }

  /**
   * @param onLink gets each name at the moment it is taken
   */
  MemoryDisk(BiConsumer<String, byte[]> onLink) {
    this.onLink = onLink;
    try {
      CommitLog.create(new MemorySlotStore(this));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A disk without any name. */
  static MemoryDisk empty() {
    MemoryDisk disk = new MemoryDisk();
    disk.files.clear();
    return disk;
  }

  synchronized boolean link(String name, byte[] content) {
    boolean created = files.putIfAbsent(name, content.clone()) == null;
    if (created) {
      onLink.accept(name, content);
    }
    return created;
  }

  /** Takes space; false when there is too little. */
  synchronized boolean take(long bytes) {
    if (freeBytes < bytes) {
      return false;
    }
    freeBytes -= bytes;
    return true;
  }

  synchronized byte @Nullable [] read(String name) {
    byte[] content = files.get(name);
    return content == null ? null : content.clone();
  }

  synchronized List<String> names() {
    return new ArrayList<>(files.keySet());
  }

  synchronized void delete(String name) {
    byte[] content = files.remove(name);
    if (content != null) {
      freeBytes += content.length;
    }
  }

  /** Changes the content of a name, unseen by all hosts, as a broken storage does. */
  public synchronized void overwrite(String name, byte[] content) {
    files.put(name, content.clone());
  }

  synchronized void writeHead(long sequence) {
    head = OptionalLong.of(sequence);
  }

  synchronized void noHead() {
    head = OptionalLong.empty();
  }

  synchronized OptionalLong head() {
    return head;
  }

  synchronized boolean releaseBallast(Reserve reserve) {
    int released = ballast - reserve.left(BALLAST_BYTES);
    if (released <= 0) {
      return false;
    }
    freeBytes += released;
    ballast -= released;
    return true;
  }

  synchronized boolean restoreBallast() {
    if (take(BALLAST_BYTES - ballast)) {
      ballast = BALLAST_BYTES;
    }
    return hasBallast();
  }

  public synchronized boolean hasBallast() {
    return ballast == BALLAST_BYTES;
  }

  /** Sets the free space. */
  public synchronized void free(long bytes) {
    freeBytes = bytes;
  }
}
