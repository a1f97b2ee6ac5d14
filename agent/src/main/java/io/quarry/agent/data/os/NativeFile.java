package io.quarry.agent.data.os;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * An open file by its raw descriptor. {@link java.nio.channels.FileChannel} is not enough here for
 * three reasons: it closes itself when its thread is interrupted, it hides the descriptor that
 * holes and reflinks need, and its locks vanish when any other descriptor of the file is closed.
 *
 * <p>All calls take a position of their own and may come from several threads at once; {@link
 * #close} waits for the calls under way, since a descriptor number is reused at once.
 */
public final class NativeFile implements AutoCloseable {
  /** What direct I/O asks of offsets, lengths and memory; sector sizes above this do not occur. */
  public static final int DIRECT_ALIGNMENT = 4096;

  /** One call of copy_file_range moves at most 2 GiB less a page; smaller steps can be stopped. */
  private static final long COPY_RANGE_STEP_BYTES = 1L << 30;

  private static final long PAGE_BYTES = 4096;

  private static final int O_RDWR = 2;
  private static final int O_CREAT = 0x40;
  private static final int O_EXCL = 0x80;
  private static final int O_CLOEXEC = 0x80000;
  private static final int O_DIRECT =
      System.getProperty("os.arch", "").equals("aarch64") ? 0x10000 : 0x4000;
  private static final int MODE_NEW_FILE = 0644;

  private static final int SEEK_END = 2;
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;
  private static final long FICLONE = 0x40049409L;
  private static final long FICLONERANGE = 0x4020940dL;
  private static final int FALLOC_KEEP_SIZE_PUNCH_HOLE = 0x03;
  private static final int SYNC_FILE_RANGE_WRITE = 2;
  private static final int FADV_SEQUENTIAL = 2;
  private static final int FADV_DONTNEED = 4;
  private static final int F_OFD_SETLK = 37;
  private static final short F_WRLCK = 1;

  private final Path path;
  private final int fd;
  private final Lock using;
  private final Lock closing;
  private boolean closed;

  private NativeFile(Path path, int fd) {
    this.path = path;
    this.fd = fd;
    ReadWriteLock lock = new ReentrantReadWriteLock();
    this.using = lock.readLock();
    this.closing = lock.writeLock();
  }

  public static NativeFile openRead(Path path) throws IOException {
    return new NativeFile(path, opened(path, Libc.open(path.toString(), O_CLOEXEC, 0)));
  }

  public static NativeFile openWrite(Path path) throws IOException {
    return new NativeFile(path, opened(path, Libc.open(path.toString(), O_RDWR | O_CLOEXEC, 0)));
  }

  /** Creates the file; one that exists already is a {@link FileAlreadyExistsException}. */
  public static NativeFile createNew(Path path) throws IOException {
    int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    return new NativeFile(path, opened(path, Libc.open(path.toString(), flags, MODE_NEW_FILE)));
  }

  /** A second descriptor that reads around the page cache, or nothing where that is not offered. */
  public static Optional<NativeFile> openReadDirect(Path path) throws IOException {
    return openDirect(path, 0);
  }

  /** A second descriptor that bypasses the page cache, or nothing where that is not offered. */
  public static Optional<NativeFile> openWriteDirect(Path path) throws IOException {
    return openDirect(path, O_RDWR);
  }

  private static Optional<NativeFile> openDirect(Path path, int access) throws IOException {
    int fd = Libc.open(path.toString(), access | O_CLOEXEC | O_DIRECT, 0);
    if (fd < 0 && Errno.meansNotSupported(-fd)) {
      return Optional.empty();
    }
    return Optional.of(new NativeFile(path, opened(path, fd)));
  }

  public Path path() {
    return path;
  }

  /** The size in bytes, of a block device too. */
  public long size() throws IOException {
    return check("seek", call(() -> Libc.lseek(fd, 0, SEEK_END)));
  }

  /** Fills {@code into} from {@code offset} on; the end of the file before that is an error. */
  public void read(long offset, MemorySegment into) throws IOException {
    long done = 0;
    while (done < into.byteSize()) {
      MemorySegment rest = into.asSlice(done);
      long position = offset + done;
      long n = check("read", call(() -> Libc.pread(fd, rest, position)));
      if (n == 0) {
        throw new EOFException(
            path + ": ends at " + position + ", expected " + (offset + into.byteSize()));
      }
      done += n;
    }
  }

  /**
   * Reads through a descriptor of {@link #openReadDirect}; offset, length and memory must be
   * aligned to {@link #DIRECT_ALIGNMENT}, and the range be inside the file.
   */
  public Outcome readDirect(long offset, MemorySegment into) throws IOException {
    long done = 0;
    while (done < into.byteSize()) {
      MemorySegment rest = into.asSlice(done);
      long position = offset + done;
      long n = call(() -> Libc.pread(fd, rest, position));
      if (n == 0 || (n < 0 && Errno.meansNotSupported((int) -n))) {
        return Outcome.NOT_SUPPORTED;
      }
      done += check("read", n);
    }
    return Outcome.DONE;
  }

  /** How much of a range is in the page cache, in bytes; empty if the kernel does not tell. */
  public OptionalLong cachedBytes(long offset, long length) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment range = arena.allocateFrom(JAVA_LONG, offset, length);
      MemorySegment result = arena.allocate(JAVA_LONG, 5);
      long code = call(() -> Libc.cachestat(fd, range, result));
      return code < 0
          ? OptionalLong.empty()
          : OptionalLong.of(result.getAtIndex(JAVA_LONG, 0) * PAGE_BYTES);
    }
  }

  public void write(long offset, MemorySegment from) throws IOException {
    long done = 0;
    while (done < from.byteSize()) {
      MemorySegment rest = from.asSlice(done);
      long position = offset + done;
      done += check("write", call(() -> Libc.pwrite(fd, rest, position)));
    }
  }

  /**
   * Writes through a descriptor of {@link #openWriteDirect}; offset, length and memory must be
   * aligned to {@link #DIRECT_ALIGNMENT}. When it is not supported, a part may have been written.
   */
  public Outcome writeDirect(long offset, MemorySegment from) throws IOException {
    long done = 0;
    while (done < from.byteSize()) {
      MemorySegment rest = from.asSlice(done);
      long position = offset + done;
      long n = call(() -> Libc.pwrite(fd, rest, position));
      if (n < 0 && Errno.meansNotSupported((int) -n)) {
        return Outcome.NOT_SUPPORTED;
      }
      done += check("write", n);
    }
    return Outcome.DONE;
  }

  public void truncate(long size) throws IOException {
    check("truncate", call(() -> Libc.ftruncate(fd, size)));
  }

  /** Data, and the metadata needed to read it back, on stable storage. */
  public void dataSync() throws IOException {
    check("fdatasync", call(() -> Libc.fdatasync(fd)));
  }

  /** The first byte of data at or after {@code offset}; empty: only a hole follows. */
  public Optional<Long> nextData(long offset) throws IOException {
    long result = call(() -> Libc.lseek(fd, offset, SEEK_DATA));
    if (result == -Errno.ENXIO) {
      return Optional.empty();
    }
    // A filesystem without the call treats everything as data, and so does this.
    return Optional.of(result == -Errno.EINVAL ? offset : check("seek data", result));
  }

  /** The first byte of a hole at or after {@code offset}; there is one at the end of the file. */
  public long nextHole(long offset) throws IOException {
    long result = call(() -> Libc.lseek(fd, offset, SEEK_HOLE));
    return result == -Errno.EINVAL ? size() : check("seek hole", result);
  }

  /** Makes the range read as zeros and frees its blocks. */
  public Outcome punchHole(long offset, long length) throws IOException {
    return optional(
        "punch hole", call(() -> Libc.fallocate(fd, FALLOC_KEEP_SIZE_PUNCH_HOLE, offset, length)));
  }

  /** Shares all blocks of {@code from} with this file, whose previous content is replaced. */
  public Outcome cloneWhole(NativeFile from) throws IOException {
    return optional("clone", from.call(() -> call(() -> Libc.ioctl(fd, FICLONE, from.fd))));
  }

  /**
   * Shares a range of blocks. Offsets must be multiples of the filesystem's block size and so must
   * the length, unless the range ends with the source.
   */
  public Outcome cloneRange(NativeFile from, long fromOffset, long length, long toOffset)
      throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment range = arena.allocate(32, 8);
      range.setAtIndex(JAVA_LONG, 0, from.fd);
      range.setAtIndex(JAVA_LONG, 1, fromOffset);
      range.setAtIndex(JAVA_LONG, 2, length);
      range.setAtIndex(JAVA_LONG, 3, toOffset);
      return optional(
          "clone range", from.call(() -> call(() -> Libc.ioctl(fd, FICLONERANGE, range))));
    }
  }

  /** Copies inside the kernel (or on the file server), without keeping holes. */
  public Outcome copyRange(NativeFile from, long fromOffset, long length, long toOffset)
      throws IOException {
    long done = 0;
    while (done < length) {
      long position = done;
      long step = Math.min(length - done, COPY_RANGE_STEP_BYTES);
      long n =
          from.call(() ->
              call(() ->
                  Libc.copyFileRange(
                      from.fd, fromOffset + position, fd, toOffset + position, step)));
      if (n < 0 && Errno.meansNotSupported((int) -n)) {
        return Outcome.NOT_SUPPORTED;
      }
      if (check("copy range", n) == 0) {
        throw new EOFException(from.path + ": ends at " + (fromOffset + done));
      }
      done += n;
    }
    return Outcome.DONE;
  }

  /** Asks for write-back of the range to begin. Only a hint: it makes nothing durable. */
  public Outcome startWriteback(long offset, long length) throws IOException {
    return optional(
        "sync_file_range",
        call(() -> Libc.syncFileRange(fd, offset, length, SYNC_FILE_RANGE_WRITE)));
  }

  /** Hints that the file is read from start to end. */
  public void adviseSequential() throws IOException {
    advise(0, 0, FADV_SEQUENTIAL);
  }

  /** Hints that the range's clean pages may leave the page cache. */
  public void adviseDontNeed(long offset, long length) throws IOException {
    advise(offset, length, FADV_DONTNEED);
  }

  /**
   * Takes an exclusive lock of this open file (not of the process) and keeps it until the close.
   *
   * @return false if somebody else has a lock on one of these bytes
   */
  public boolean tryLock(long offset, long length) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment lock = arena.allocate(32, 8);
      lock.set(JAVA_SHORT, 0, F_WRLCK);
      lock.set(JAVA_LONG, 8, offset);
      lock.set(JAVA_LONG, 16, length);
      lock.set(JAVA_INT, 24, 0);
      long result = call(() -> Libc.fcntl(fd, F_OFD_SETLK, lock));
      if (result == -Errno.EAGAIN || result == -Errno.EACCES) {
        return false;
      }
      check("lock", result);
      return true;
    }
  }

  @Override
  public void close() {
    closing.lock();
    try {
      if (!closed) {
        closed = true;
        var _ = Libc.close(fd); // Nothing is lost: durability is dataSync's business.
      }
    } finally {
      closing.unlock();
    }
  }

  private void advise(long offset, long length, int advice) throws IOException {
    var _ = optional("fadvise", call(() -> Libc.posixFadvise(fd, offset, length, advice)));
  }

  private interface Call {
    long run() throws IOException;
  }

  private long call(Call call) throws IOException {
    using.lock();
    try {
      if (closed) {
        throw new IOException(path + ": already closed");
      }
      long result;
      do {
        result = call.run();
      } while (result == -Errno.EINTR);
      return result;
    } finally {
      using.unlock();
    }
  }

  private long check(String what, long result) throws IOException {
    if (result < 0) {
      throw new IOException(path + ": " + what + ": " + Libc.describe((int) -result));
    }
    return result;
  }

  private Outcome optional(String what, long result) throws IOException {
    if (result < 0 && Errno.meansNotSupported((int) -result)) {
      return Outcome.NOT_SUPPORTED;
    }
    check(what, result);
    return Outcome.DONE;
  }

  private static int opened(Path path, int fd) throws IOException {
    if (fd >= 0) {
      return fd;
    }
    throw switch (-fd) {
      case Errno.EEXIST -> new FileAlreadyExistsException(path.toString());
      case Errno.ENOENT -> new NoSuchFileException(path.toString());
      default -> new IOException(path + ": open: " + Libc.describe(-fd));
    };
  }
}
