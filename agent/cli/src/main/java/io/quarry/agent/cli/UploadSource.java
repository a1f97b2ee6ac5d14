package io.quarry.agent.cli;

import io.quarry.agent.data.os.DiskUsage;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.common.api.StorageException;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The source of an upload: a file, a block device, or a stream, which is read once and has no size.
 */
final class UploadSource implements Closeable {
  /** Every known format is recognizable within so many bytes. */
  private static final int HEAD_BYTES = 512;

  private static final int KIND = 0170000;
  private static final int BLOCK_DEVICE = 0060000;
  private static final int DIRECTORY = 0040000;
  private static final int REGULAR_FILE = 0100000;

  /** The size of a stream. */
  private static final long UNKNOWN = -1;

  private final Path file;
  private final InputStream in;
  private final long size;
  private final @Nullable Long dataBytes;
  private final byte[] head;
  private final FileMagic magic;
  private int headRead;

  private UploadSource(Path file, InputStream in, long size, @Nullable Long dataBytes)
      throws IOException {
    this.file = file;
    this.in = in;
    this.size = size;
    this.dataBytes = dataBytes;
    this.head = in.readNBytes(HEAD_BYTES);
    this.magic = FileMagic.of(head, tail());
  }

  static UploadSource open(Path file) throws IOException {
    int kind = (int) Files.getAttribute(file, "unix:mode") & KIND;
    if (kind == DIRECTORY) {
      throw StorageException.invalid(
          file.toString(), file + " is a directory", "Name the file to upload.");
    }
    long size = UNKNOWN;
    if (kind == REGULAR_FILE || kind == BLOCK_DEVICE) {
      try (NativeFile sized = NativeFile.openRead(file)) {
        size = sized.size();
      }
    }
    Long dataBytes = kind == REGULAR_FILE ? Math.min(size, DiskUsage.allocated(file)) : null;
    InputStream in = Files.newInputStream(file);
    try {
      return new UploadSource(file, in, size, dataBytes);
    } catch (IOException | RuntimeException e) {
      in.close();
      throw e;
    }
  }

  private byte[] tail() throws IOException {
    if (size < HEAD_BYTES) {
      return new byte[0];
    }
    try (NativeFile end = NativeFile.openRead(file)) {
      return end.bytes(size - HEAD_BYTES, HEAD_BYTES);
    }
  }

  FileMagic magic() {
    return magic;
  }

  boolean hasSize() {
    return size != UNKNOWN;
  }

  /** The size in bytes, if the source has one. */
  long size() {
    return size;
  }

  /**
   * How many bytes are not holes. Null for a stream, and for a device, whose zeros only reading
   * reveals.
   */
  @Nullable Long dataBytes() {
    return dataBytes;
  }

  /** Fills the buffer up to the end of the source; returns how many bytes were read. */
  int read(byte[] into, int length) throws IOException {
    int first = Math.min(length, head.length - headRead);
    System.arraycopy(head, headRead, into, 0, first);
    headRead += first;
    int read = first + in.readNBytes(into, first, length - first);
    Arrays.fill(into, read, length, (byte) 0);
    return read;
  }

  /** Throws when a source ends before the size that it had at the opening. */
  void requireEnd(long read) throws IOException {
    if (hasSize() && read < size) {
      throw new EOFException("it ended at byte " + read + " of " + size);
    }
  }

  /** Whether the whole source was read. */
  boolean atEnd() throws IOException {
    return headRead == head.length && in.read() < 0;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
