package io.quarry.agent.data;

import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.os.Outcome;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A sparse raw file being filled. Writes may come from several threads at once; {@link #flush} is
 * what makes those that have returned durable.
 *
 * <p>While it is open it holds the locks that keep QEMU away. They are an early warning of a second
 * writer and not a fence.
 */
public final class RawTarget implements Closeable {
  /** QEMU's image locks: one byte for each permission from 100 on, and from 200 on. */
  private static final long QEMU_LOCK_OFFSET = 100;

  private static final long QEMU_LOCK_BYTES = 104;

  private final NativeFile file;
  private final Optional<NativeFile> direct;
  private final long size;
  private volatile boolean directRefused;
  private volatile boolean broken;

  private RawTarget(NativeFile file, Optional<NativeFile> direct, long size) {
    this.file = file;
    this.direct = direct;
    this.size = size;
  }

  /**
   * All holes.
   *
   * @param created is closed with it
   */
  public static RawTarget create(NativeFile created, long size) throws IOException {
    return reopen(created, 0, size);
  }

  /**
   * Goes on with a file that an earlier copy left, keeps its first {@code keepBytes}, which are
   * durable, and makes the rest a hole again: what a dead worker wrote there was never counted.
   *
   * @param file is closed with it
   */
  public static RawTarget reopen(NativeFile file, long keepBytes, long size) throws IOException {
    try {
      if (!file.tryLock(QEMU_LOCK_OFFSET, QEMU_LOCK_BYTES)) {
        throw new IOException(file.path() + ": another process is using this image");
      }
      long found = file.size();
      if (found < keepBytes) {
        throw new IOException(
            file.path() + ": has " + found + " bytes, fewer than the " + keepBytes + " to keep");
      }
      file.truncate(keepBytes);
      file.truncate(size);
      return new RawTarget(file, file.direct(), size);
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  public Path path() {
    return file.path();
  }

  public long size() {
    return size;
  }

  /** Writes native memory inside the virtual size, around the page cache where that is possible. */
  public void write(long offset, MemorySegment from) throws IOException {
    if (offset + from.byteSize() > size) {
      throw new IOException(file.path() + ": write at " + offset + " past the size " + size);
    }
    long aligned =
        writesDirect() && isAligned(offset) && isAligned(from.address())
            ? from.byteSize() - from.byteSize() % NativeFile.DIRECT_ALIGNMENT
            : 0;
    if (aligned > 0) {
      NativeFile around = direct.orElseThrow();
      if (around.writeDirect(offset, from.asSlice(0, aligned)) == Outcome.NOT_SUPPORTED) {
        // A filesystem may open a file for it and then ask for more than pages.
        directRefused = true;
        aligned = 0;
      }
    }
    file.write(offset + aligned, from.asSlice(aligned));
  }

  /** Lets the way to the disk of a written range begin, so that the flush finds little to do. */
  void startWriteback(long offset, long length) throws IOException {
    if (!writesDirect()) {
      // Only speed hangs on it, so a filesystem without it is as good.
      var _ = file.startWriteback(offset, length);
    }
  }

  private boolean writesDirect() {
    return direct.isPresent() && !directRefused;
  }

  private static boolean isAligned(long number) {
    return number % NativeFile.DIRECT_ALIGNMENT == 0;
  }

  boolean onNfs() throws IOException {
    return file.filesystem().nfs();
  }

  Outcome cloneRange(NativeFile from, long fromOffset, long length, long offset)
      throws IOException {
    return file.cloneRange(from, fromOffset, length, offset);
  }

  Outcome copyRange(NativeFile from, long offset, long length) throws IOException {
    Outcome outcome = file.copyRange(from, offset, length, offset);
    if (outcome == Outcome.DONE) {
      var _ = file.startWriteback(offset, length);
    }
    return outcome;
  }

  /** Makes all returned writes durable. After one failure the file cannot be trusted any more. */
  public void flush() throws IOException {
    if (broken) {
      throw new IOException(file.path() + ": an earlier flush failed; write it anew");
    }
    try {
      file.dataSync();
    } catch (IOException e) {
      // Linux reports a lost write once and then takes the pages for clean.
      broken = true;
      throw e;
    }
  }

  @Override
  public void close() {
    direct.ifPresent(NativeFile::close);
    file.close();
  }
}
