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

/** An open file of the system's own filesystems, by its raw descriptor. */
final class DescriptorFile implements NativeFile {
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

  private DescriptorFile(Path path, int fd) {
    this.path = path;
    this.fd = fd;
    ReadWriteLock lock = new ReentrantReadWriteLock();
    this.using = lock.readLock();
    this.closing = lock.writeLock();
  }

  static NativeFile openRead(Path path) throws IOException {
    return new DescriptorFile(path, opened(path, Libc.open(path.toString(), O_CLOEXEC, 0)));
  }

  static NativeFile openWrite(Path path) throws IOException {
    return new DescriptorFile(
        path, opened(path, Libc.open(path.toString(), O_RDWR | O_CLOEXEC, 0)));
  }

  static NativeFile createNew(Path path) throws IOException {
    int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    return new DescriptorFile(path, opened(path, Libc.open(path.toString(), flags, MODE_NEW_FILE)));
  }

  static Optional<NativeFile> openReadDirect(Path path) throws IOException {
    return openDirect(path, 0);
  }

  static Optional<NativeFile> openWriteDirect(Path path) throws IOException {
    return openDirect(path, O_RDWR);
  }

  private static Optional<NativeFile> openDirect(Path path, int access) throws IOException {
    int fd = Libc.open(path.toString(), access | O_CLOEXEC | O_DIRECT, 0);
    if (fd < 0 && Errno.meansNotSupported(-fd)) {
      return Optional.empty();
    }
    return Optional.of(new DescriptorFile(path, opened(path, fd)));
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public long size() throws IOException {
    return check("seek", call(() -> Libc.lseek(fd, 0, SEEK_END)));
  }

  @Override
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

  @Override
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

  @Override
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

  @Override
  public void write(long offset, MemorySegment from) throws IOException {
    long done = 0;
    while (done < from.byteSize()) {
      MemorySegment rest = from.asSlice(done);
      long position = offset + done;
      done += check("write", call(() -> Libc.pwrite(fd, rest, position)));
    }
  }

  @Override
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

  @Override
  public void truncate(long size) throws IOException {
    check("truncate", call(() -> Libc.ftruncate(fd, size)));
  }

  @Override
  public void dataSync() throws IOException {
    check("fdatasync", call(() -> Libc.fdatasync(fd)));
  }

  @Override
  public Optional<Long> nextData(long offset) throws IOException {
    long result = call(() -> Libc.lseek(fd, offset, SEEK_DATA));
    if (result == -Errno.ENXIO) {
      return Optional.empty();
    }
    // A filesystem without the call treats everything as data, and so does this.
    return Optional.of(result == -Errno.EINVAL ? offset : check("seek data", result));
  }

  @Override
  public long nextHole(long offset) throws IOException {
    long result = call(() -> Libc.lseek(fd, offset, SEEK_HOLE));
    return result == -Errno.EINVAL ? size() : check("seek hole", result);
  }

  @Override
  public Outcome punchHole(long offset, long length) throws IOException {
    return optional(
        "punch hole", call(() -> Libc.fallocate(fd, FALLOC_KEEP_SIZE_PUNCH_HOLE, offset, length)));
  }

  @Override
  public Outcome cloneWhole(NativeFile source) throws IOException {
    return source instanceof DescriptorFile from
        ? optional("clone", from.call(() -> call(() -> Libc.ioctl(fd, FICLONE, from.fd))))
        : Outcome.NOT_SUPPORTED;
  }

  @Override
  public Outcome cloneRange(NativeFile source, long fromOffset, long length, long toOffset)
      throws IOException {
    if (!(source instanceof DescriptorFile from)) {
      return Outcome.NOT_SUPPORTED;
    }
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

  @Override
  public Outcome copyRange(NativeFile source, long fromOffset, long length, long toOffset)
      throws IOException {
    if (!(source instanceof DescriptorFile from)) {
      return Outcome.NOT_SUPPORTED;
    }
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

  @Override
  public Outcome startWriteback(long offset, long length) throws IOException {
    return optional(
        "sync_file_range",
        call(() -> Libc.syncFileRange(fd, offset, length, SYNC_FILE_RANGE_WRITE)));
  }

  @Override
  public void adviseSequential() throws IOException {
    advise(0, 0, FADV_SEQUENTIAL);
  }

  @Override
  public void adviseDontNeed(long offset, long length) throws IOException {
    advise(offset, length, FADV_DONTNEED);
  }

  @Override
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
