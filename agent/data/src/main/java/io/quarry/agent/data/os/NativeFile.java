package io.quarry.agent.data.os;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * An open file with all system calls that agents need. A {@link java.nio.channels.FileChannel} does
 * not do, for three reasons. The channel closes itself when its thread is interrupted. The channel
 * hides the descriptor that holes and reflinks need. The channel's locks vanish when another
 * descriptor of the file is closed.
 *
 * <p>All calls take a position of their own and may come from several threads at once. {@link
 * #close} waits for the calls under way, since the kernel reuses a descriptor number at once.
 */
public interface NativeFile extends AutoCloseable {
  /**
   * The alignment that direct I/O requires of offsets, lengths and memory; larger sectors do not
   * occur.
   */
  int DIRECT_ALIGNMENT = 4096;

  /** Opens a caller's file, and follows links; a repository's files are opened by its folders. */
  static NativeFile openRead(Path path) throws IOException {
    return DescriptorFile.open(path, OpenFlags.READ);
  }

  static NativeFile openWrite(Path path) throws IOException {
    return DescriptorFile.open(path, OpenFlags.READ_WRITE);
  }

  /** Creates the file; an existing file is a {@link FileFailure.Exists}. */
  static NativeFile createNew(Path path) throws IOException {
    return DescriptorFile.createNew(path, FileModes.VOLUME);
  }

  /**
   * Opens the same file once more, around the page cache; empty where the filesystem does not offer
   * that.
   */
  Optional<NativeFile> direct() throws IOException;

  Path path();

  /** The size in bytes; also works for a block device. */
  long size() throws IOException;

  /** The current metadata, not a cached one. */
  FileStatus status() throws IOException;

  /** The filesystem that holds the file. */
  Filesystem filesystem() throws IOException;

  /** Reads what is available at once, at least a byte; 0 at the end of the file. */
  long readSome(long offset, MemorySegment into) throws IOException;

  /** Fills {@code into} from {@code offset} on; an earlier end of the file is an error. */
  default void read(long offset, MemorySegment into) throws IOException {
    for (long done = 0; done < into.byteSize(); ) {
      long n = readSome(offset + done, into.asSlice(done));
      if (n == 0) {
        throw new EOFException(
            path() + ": ends at " + (offset + done) + ", expected " + (offset + into.byteSize()));
      }
      done += n;
    }
  }

  /** The content from {@code offset} on, up to so many bytes. */
  default byte[] bytes(long offset, int bytesMax) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(bytesMax);
      long done = 0;
      for (long n = 1; n > 0 && done < bytesMax; done += n) {
        n = readSome(offset + done, buffer.asSlice(done));
      }
      return buffer.asSlice(0, done).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /**
   * Reads through a descriptor of {@link #direct}. Offset, length and memory must be aligned to
   * {@link #DIRECT_ALIGNMENT}, and the range must be inside the file.
   */
  Outcome readDirect(long offset, MemorySegment into) throws IOException;

  /** How much of a range is in the page cache, in bytes; empty if the kernel does not tell. */
  OptionalLong cachedBytes(long offset, long length) throws IOException;

  void write(long offset, MemorySegment from) throws IOException;

  default void write(long offset, byte[] from) throws IOException {
    write(offset, from, 0, from.length);
  }

  default void write(long offset, byte[] from, int start, int length) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(length);
      MemorySegment.copy(from, start, buffer, ValueLayout.JAVA_BYTE, 0, length);
      write(offset, buffer);
    }
  }

  /**
   * Writes through a descriptor of {@link #direct}. Offset, length and memory must be aligned to
   * {@link #DIRECT_ALIGNMENT}. When direct I/O is not supported, a part may have been written.
   */
  Outcome writeDirect(long offset, MemorySegment from) throws IOException;

  void truncate(long size) throws IOException;

  /** Makes the range read as zeros, without holes. A block device does so by itself if it can. */
  void zero(long offset, long length) throws IOException;

  /** Forces the data, and the metadata needed to read the data back, to stable storage. */
  void dataSync() throws IOException;

  /** Forces the whole file, with its mode and its times, to stable storage. */
  void sync() throws IOException;

  /** Sets the file's mode, whatever the umask is. */
  void setMode(int mode) throws IOException;

  /** Sets owner and group; a number of -1 leaves that one unchanged. */
  void setOwner(int uid, int gid) throws IOException;

  /**
   * Keeps every process from changing and removing the file, even a process of root or one that has
   * the file open. The call needs the capability CAP_LINUX_IMMUTABLE and a filesystem with that
   * attribute.
   */
  void setImmutable(boolean immutable) throws IOException;

  /** The first byte of data at or after {@code offset}; empty when only a hole follows. */
  Optional<Long> nextData(long offset) throws IOException;

  /** The first byte of a hole at or after {@code offset}; each file has a hole at its end. */
  long nextHole(long offset) throws IOException;

  /** Makes the range read as zeros and frees the range's blocks. */
  Outcome punchHole(long offset, long length) throws IOException;

  /** Shares all blocks of {@code from} with this file, whose previous content is replaced. */
  Outcome cloneWhole(NativeFile from) throws IOException;

  /**
   * Shares a range of blocks. Offsets must be multiples of the filesystem's block size and so must
   * the length, unless the range ends with the source.
   */
  Outcome cloneRange(NativeFile from, long fromOffset, long length, long toOffset)
      throws IOException;

  /** Copies inside the kernel (or on the file server), without keeping holes. */
  Outcome copyRange(NativeFile from, long fromOffset, long length, long toOffset)
      throws IOException;

  /** Asks for write-back of the range to begin. Only a hint: it makes nothing durable. */
  Outcome startWriteback(long offset, long length) throws IOException;

  /** Hints that the file is read from start to end. */
  void adviseSequential() throws IOException;

  /** Hints that the range's clean pages may leave the page cache. */
  void adviseDontNeed(long offset, long length) throws IOException;

  /**
   * Takes an exclusive lock for this open file (not for the process) and keeps it until the close.
   *
   * @return false if another open file has a lock on one of these bytes
   */
  boolean tryLock(long offset, long length) throws IOException;

  /** Whether another open file has a lock, shared or not, on one of these bytes. */
  boolean isLockedByOthers(long offset, long length) throws IOException;

  /** Reads from the beginning to the end; closing the stream closes the file. */
  default InputStream input() {
    return new FileInput(this);
  }

  /** Writes from the beginning on; closing the stream leaves the file open. */
  default OutputStream output() {
    return new FileOutput(this);
  }

  @Override
  void close();
}
