package io.quarry.agent.data.os;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * An open file with all that the system can do with it. {@link java.nio.channels.FileChannel} is
 * not enough here for three reasons: it closes itself when its thread is interrupted, it hides the
 * descriptor that holes and reflinks need, and its locks vanish when any other descriptor of the
 * file is closed. What is not one of the system's files, a simulated one say, offers less.
 *
 * <p>All calls take a position of their own and may come from several threads at once; {@link
 * #close} waits for the calls under way, since a descriptor number is reused at once.
 */
public interface NativeFile extends AutoCloseable {
  /** What direct I/O asks of offsets, lengths and memory; sector sizes above this do not occur. */
  int DIRECT_ALIGNMENT = 4096;

  static NativeFile openRead(Path path) throws IOException {
    return isSystems(path) ? DescriptorFile.openRead(path) : ChannelFile.openRead(path);
  }

  static NativeFile openWrite(Path path) throws IOException {
    return isSystems(path) ? DescriptorFile.openWrite(path) : ChannelFile.openWrite(path);
  }

  /** Creates the file; one that exists already is a {@link FileAlreadyExistsException}. */
  static NativeFile createNew(Path path) throws IOException {
    return isSystems(path) ? DescriptorFile.createNew(path) : ChannelFile.createNew(path);
  }

  /** A second descriptor that reads around the page cache, or nothing where that is not offered. */
  static Optional<NativeFile> openReadDirect(Path path) throws IOException {
    return isSystems(path) ? DescriptorFile.openReadDirect(path) : Optional.empty();
  }

  /** A second descriptor that bypasses the page cache, or nothing where that is not offered. */
  static Optional<NativeFile> openWriteDirect(Path path) throws IOException {
    return isSystems(path) ? DescriptorFile.openWriteDirect(path) : Optional.empty();
  }

  private static boolean isSystems(Path path) {
    return path.getFileSystem().equals(FileSystems.getDefault());
  }

  Path path();

  /** The size in bytes, of a block device too. */
  long size() throws IOException;

  /** Fills {@code into} from {@code offset} on; the end of the file before that is an error. */
  void read(long offset, MemorySegment into) throws IOException;

  /**
   * Reads through a descriptor of {@link #openReadDirect}; offset, length and memory must be
   * aligned to {@link #DIRECT_ALIGNMENT}, and the range be inside the file.
   */
  Outcome readDirect(long offset, MemorySegment into) throws IOException;

  /** How much of a range is in the page cache, in bytes; empty if the kernel does not tell. */
  OptionalLong cachedBytes(long offset, long length) throws IOException;

  void write(long offset, MemorySegment from) throws IOException;

  /**
   * Writes through a descriptor of {@link #openWriteDirect}; offset, length and memory must be
   * aligned to {@link #DIRECT_ALIGNMENT}. When it is not supported, a part may have been written.
   */
  Outcome writeDirect(long offset, MemorySegment from) throws IOException;

  void truncate(long size) throws IOException;

  /** Data, and the metadata needed to read it back, on stable storage. */
  void dataSync() throws IOException;

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

  @Override
  void close();
}
