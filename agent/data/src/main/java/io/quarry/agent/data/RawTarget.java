package io.quarry.agent.data;

import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.os.Outcome;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A sparse raw file being filled. Several threads may write at once. {@link #flush} makes all
 * writes durable that have returned.
 *
 * <p>An open target holds the locks by which QEMU refuses to open the file. The locks are an early
 * warning of a second writer and not a fence.
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
   * Makes a file of holes only.
   *
   * @param created the target closes this file
   */
  public static RawTarget create(NativeFile created, long size) throws IOException {
    return reopen(created, 0, size);
  }

  /**
   * Continues a file that an earlier copy left. The first {@code keepBytes}, which are durable,
   * stay. The rest becomes a hole again, since no checkpoint counts what a dead worker wrote there.
   *
   * @param file the target closes this file
   */
  public static RawTarget reopen(NativeFile file, long keepBytes, long size) throws IOException {
    try {
      if (!file.tryLock(QEMU_LOCK_OFFSET, QEMU_LOCK_BYTES)) {
        String why = file.path() + ": another process is using this image";
        throw new IOException(
            file.filesystem().nfs()
                ? why + ", or the file server still holds the lock of a dead host"
                : why);
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
        // A filesystem may open a file for direct I/O and then require a larger alignment than
        // pages.
        directRefused = true;
        aligned = 0;
      }
    }
    file.write(offset + aligned, from.asSlice(aligned));
  }

  /** Starts the write-back of a written range, so that the flush has little to do. */
  void startWriteback(long offset, long length) throws IOException {
    if (!writesDirect()) {
      // The write-back only saves time, so a filesystem without it works as well.
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
