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
 * An open file with all that the system can do with it. {@link java.nio.channels.FileChannel} is
 * not enough here for three reasons: it closes itself when its thread is interrupted, it hides the
 * descriptor that holes and reflinks need, and its locks vanish when any other descriptor of the
 * file is closed.
 *
 * <p>All calls take a position of their own and may come from several threads at once; {@link
 * #close} waits for the calls under way, since a descriptor number is reused at once.
 */
public interface NativeFile extends AutoCloseable {
  /** What direct I/O asks of offsets, lengths and memory; sector sizes above this do not occur. */
  int DIRECT_ALIGNMENT = 4096;

  /** A file of the user's, wherever links lead to; those of a repository are its folders'. */
  static NativeFile openRead(Path path) throws IOException {
    return DescriptorFile.open(path, OpenFlags.READ);
  }

  static NativeFile openWrite(Path path) throws IOException {
    return DescriptorFile.open(path, OpenFlags.READ_WRITE);
  }

  /** Creates the file; one that exists already is a {@link FileFailure.Exists}. */
  static NativeFile createNew(Path path) throws IOException {
    return DescriptorFile.createNew(path, FileModes.VOLUME);
  }

  /** The same file once more, around the page cache; nothing where that is not offered. */
  Optional<NativeFile> direct() throws IOException;

  Path path();

  /** The size in bytes, of a block device too. */
  long size() throws IOException;

  /** As it is now, and not as some cache has it. */
  FileStatus status() throws IOException;

  /** The one that it is on. */
  Filesystem filesystem() throws IOException;

  /** Reads what there is at once, at least a byte; 0 at the end of the file. */
  long readSome(long offset, MemorySegment into) throws IOException;

  /** Fills {@code into} from {@code offset} on; the end of the file before that is an error. */
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

  /** What is there from {@code offset} on, up to so many bytes. */
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
   * Reads through a descriptor of {@link #direct}; offset, length and memory must be aligned to
   * {@link #DIRECT_ALIGNMENT}, and the range be inside the file.
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
   * Writes through a descriptor of {@link #direct}; offset, length and memory must be aligned to
   * {@link #DIRECT_ALIGNMENT}. When it is not supported, a part may have been written.
   */
  Outcome writeDirect(long offset, MemorySegment from) throws IOException;

  void truncate(long size) throws IOException;

  /** Data, and the metadata needed to read it back, on stable storage. */
  void dataSync() throws IOException;

  /** All of it, with its mode and its times, on stable storage. */
  void sync() throws IOException;

  /** Who may do what with it, whatever the umask is. */
  void setMode(int mode) throws IOException;

  /** A number of -1 leaves that one as it is. */
  void setOwner(int uid, int gid) throws IOException;

  /**
   * Keeps every process from changing and removing the file, also one that has the file open and
   * one of root. It takes the capability CAP_LINUX_IMMUTABLE and a filesystem with that attribute.
   */
  void setImmutable(boolean immutable) throws IOException;

  /** The first byte of data at or after {@code offset}; empty: only a hole follows. */
  Optional<Long> nextData(long offset) throws IOException;

  /** The first byte of a hole at or after {@code offset}; there is one at the end of the file. */
  long nextHole(long offset) throws IOException;

  /** Makes the range read as zeros and frees its blocks. */
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
   * Takes an exclusive lock of this open file (not of the process) and keeps it until the close.
   *
   * @return false if somebody else has a lock on one of these bytes
   */
  boolean tryLock(long offset, long length) throws IOException;

  /** Whether another open file has a lock, shared or not, on one of these bytes. */
  boolean isLockedByOthers(long offset, long length) throws IOException;

  /** Reads from the beginning to the end; closing it closes the file. */
  default InputStream input() {
    return new FileInput(this);
  }

  /** Writes from the beginning on; closing it leaves the file open. */
  default OutputStream output() {
    return new FileOutput(this);
  }

  @Override
  void close();
}
