package io.quarry.agent.data.os;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/** An open file of the system's own filesystems, by its raw descriptor. */
final class DescriptorFile implements NativeFile {
  /** One call of copy_file_range moves at most 2 GiB less a page; smaller steps can be stopped. */
  private static final long COPY_RANGE_STEP_BYTES = 1L << 30;

  private static final long PAGE_BYTES = 4096;

  private static final int SEEK_END = 2;
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;
  private static final long FICLONE = 0x40049409L;
  private static final long FICLONERANGE = 0x4020940dL;
  private static final long FS_IOC_GETFLAGS = 0x80086601L;
  private static final long FS_IOC_SETFLAGS = 0x40086602L;
  private static final int FS_IMMUTABLE_FL = 0x10;
  private static final int FALLOC_KEEP_SIZE_PUNCH_HOLE = 0x03;
  private static final int FALLOC_KEEP_SIZE_ZERO_RANGE = 0x11;
  private static final int SYNC_FILE_RANGE_WRITE = 2;
  private static final int FADV_SEQUENTIAL = 2;
  private static final int FADV_DONTNEED = 4;
  private static final int F_OFD_GETLK = 36;
  private static final int F_OFD_SETLK = 37;
  private static final short F_WRLCK = 1;
  private static final short F_UNLCK = 2;

  private final Descriptor descriptor;
  private final int access;

  /**
   * @param access the access that the file is open for, as in {@link OpenFlags}
   */
  DescriptorFile(Path path, int fd, int access) {
    this.descriptor = new Descriptor(path, fd);
    this.access = access;
  }

  static NativeFile open(Path path, int access) throws FileFailure {
    return opened(path, Libc.open(path.toString(), access | OpenFlags.CLOSE_ON_EXEC, 0), access);
  }

  static NativeFile createNew(Path path, int mode) throws FileFailure {
    int access = OpenFlags.READ_WRITE;
    int flags = access | OpenFlags.CREATE_NEW | OpenFlags.CLOSE_ON_EXEC;
    return opened(path, Libc.open(path.toString(), flags, mode), access);
  }

  private static NativeFile opened(Path path, int fd, int access) throws FileFailure {
    if (fd < 0) {
      throw FileFailure.of(-fd, path, "open");
    }
    return new DescriptorFile(path, fd, access);
  }

  /** The path through /proc leads to this very file, whatever file has its name now. */
  @Override
  public Optional<NativeFile> direct() throws IOException {
    int flags = access | OpenFlags.CLOSE_ON_EXEC | OpenFlags.DIRECT;
    long fd = descriptor.call(number -> Libc.open("/proc/self/fd/" + number, flags, 0));
    boolean refused = Errno.ENOENT.is(fd) || Errno.EACCES.is(fd) || Errno.EPERM.is(fd);
    return refused || Errno.meansNotSupported(fd)
        ? Optional.empty()
        : Optional.of(opened(path(), (int) fd, access));
  }

  @Override
  public Path path() {
    return descriptor.path();
  }

  @Override
  public FileStatus status() throws IOException {
    return FileStatus.of(
        (flags, mask, into) ->
            descriptor.check("stat", fd -> Libc.statx(fd, "", flags, mask, into)),
        FileStatus.OF_THE_DESCRIPTOR);
  }

  @Override
  public Filesystem filesystem() throws IOException {
    return Filesystem.of(into -> descriptor.check("statfs", fd -> Libc.fstatfs(fd, into)));
  }

  @Override
  public long size() throws IOException {
    return descriptor.check("seek", fd -> Libc.lseek(fd, 0, SEEK_END));
  }

  @Override
  public long readSome(long offset, MemorySegment into) throws IOException {
    return descriptor.check("read", fd -> Libc.pread(fd, into, offset));
  }

  @Override
  public Outcome readDirect(long offset, MemorySegment into) throws IOException {
    long done = 0;
    while (done < into.byteSize()) {
      MemorySegment rest = into.asSlice(done);
      long position = offset + done;
      long n = descriptor.call(fd -> Libc.pread(fd, rest, position));
      if (n == 0 || Errno.meansNotSupported(n)) {
        return Outcome.NOT_SUPPORTED;
      }
      done += descriptor.checked("read", n);
    }
    return Outcome.DONE;
  }

  @Override
  public OptionalLong cachedBytes(long offset, long length) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment range = arena.allocateFrom(JAVA_LONG, offset, length);
      MemorySegment result = arena.allocate(JAVA_LONG, 5);
      long code = descriptor.call(fd -> Libc.cachestat(fd, range, result));
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
      done += descriptor.check("write", fd -> Libc.pwrite(fd, rest, position));
    }
  }

  @Override
  public Outcome writeDirect(long offset, MemorySegment from) throws IOException {
    long done = 0;
    while (done < from.byteSize()) {
      MemorySegment rest = from.asSlice(done);
      long position = offset + done;
      long n = descriptor.call(fd -> Libc.pwrite(fd, rest, position));
      if (Errno.meansNotSupported(n)) {
        return Outcome.NOT_SUPPORTED;
      }
      done += descriptor.checked("write", n);
    }
    return Outcome.DONE;
  }

  @Override
  public void truncate(long size) throws IOException {
    descriptor.check("truncate", fd -> Libc.ftruncate(fd, size));
  }

  @Override
  public void zero(long offset, long length) throws IOException {
    descriptor.check("zero", fd -> Libc.fallocate(fd, FALLOC_KEEP_SIZE_ZERO_RANGE, offset, length));
  }

  @Override
  public void dataSync() throws IOException {
    descriptor.check("fdatasync", Libc::fdatasync);
  }

  @Override
  public Optional<Long> nextData(long offset) throws IOException {
    long result = descriptor.call(fd -> Libc.lseek(fd, offset, SEEK_DATA));
    if (Errno.ENXIO.is(result)) {
      return Optional.empty();
    }
    // A filesystem without the call treats the whole file as data, and so does this method.
    return Optional.of(Errno.EINVAL.is(result) ? offset : descriptor.checked("seek data", result));
  }

  @Override
  public long nextHole(long offset) throws IOException {
    long result = descriptor.call(fd -> Libc.lseek(fd, offset, SEEK_HOLE));
    return Errno.EINVAL.is(result) ? size() : descriptor.checked("seek hole", result);
  }

  @Override
  public Outcome punchHole(long offset, long length) throws IOException {
    return optional(
        "punch hole",
        descriptor.call(fd -> Libc.fallocate(fd, FALLOC_KEEP_SIZE_PUNCH_HOLE, offset, length)));
  }

  @Override
  public Outcome cloneWhole(NativeFile source) throws IOException {
    return source instanceof DescriptorFile from
        ? optional(
            "clone",
            from.descriptor.call(number -> descriptor.call(fd -> Libc.ioctl(fd, FICLONE, number))))
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
      range.setAtIndex(JAVA_LONG, 1, fromOffset);
      range.setAtIndex(JAVA_LONG, 2, length);
      range.setAtIndex(JAVA_LONG, 3, toOffset);
      return optional(
          "clone range",
          from.descriptor.call(number -> {
            range.setAtIndex(JAVA_LONG, 0, number);
            return descriptor.call(fd -> Libc.ioctl(fd, FICLONERANGE, range));
          }));
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
          from.descriptor.call(number ->
              descriptor.call(fd ->
                  Libc.copyFileRange(
                      number, fromOffset + position, fd, toOffset + position, step)));
      if (Errno.meansNotSupported(n)) {
        return Outcome.NOT_SUPPORTED;
      }
      if (descriptor.checked("copy range", n) == 0) {
        throw new EOFException(from.path() + ": ends at " + (fromOffset + done));
      }
      done += n;
    }
    return Outcome.DONE;
  }

  @Override
  public Outcome startWriteback(long offset, long length) throws IOException {
    return optional(
        "sync_file_range",
        descriptor.call(fd -> Libc.syncFileRange(fd, offset, length, SYNC_FILE_RANGE_WRITE)));
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
      MemorySegment lock = exclusive(arena, offset, length);
      long result = descriptor.call(fd -> Libc.fcntl(fd, F_OFD_SETLK, lock));
      if (Errno.EAGAIN.is(result) || Errno.EACCES.is(result)) {
        return false;
      }
      descriptor.checked("lock", result);
      return true;
    }
  }

  @Override
  public boolean isLockedByOthers(long offset, long length) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment lock = exclusive(arena, offset, length);
      descriptor.check("look at locks", fd -> Libc.fcntl(fd, F_OFD_GETLK, lock));
      return lock.get(JAVA_SHORT, 0) != F_UNLCK;
    }
  }

  private static MemorySegment exclusive(Arena arena, long offset, long length) {
    MemorySegment lock = arena.allocate(32, 8);
    lock.set(JAVA_SHORT, 0, F_WRLCK);
    lock.set(JAVA_LONG, 8, offset);
    lock.set(JAVA_LONG, 16, length);
    return lock;
  }

  @Override
  public void setMode(int mode) throws IOException {
    owned("chmod", descriptor.call(fd -> Libc.fchmod(fd, mode)));
  }

  @Override
  public void setOwner(int uid, int gid) throws IOException {
    owned("chown", descriptor.call(fd -> Libc.fchown(fd, uid, gid)));
  }

  @Override
  public void setImmutable(boolean immutable) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment flags = arena.allocate(JAVA_LONG);
      descriptor.check("get attributes", fd -> Libc.ioctl(fd, FS_IOC_GETFLAGS, flags));
      int now = flags.get(JAVA_INT, 0);
      flags.set(JAVA_INT, 0, immutable ? now | FS_IMMUTABLE_FL : now & ~FS_IMMUTABLE_FL);
      owned("chattr", descriptor.call(fd -> Libc.ioctl(fd, FS_IOC_SETFLAGS, flags)));
    }
  }

  /** A call that only the file's owner may make. */
  private void owned(String operation, long result) throws IOException {
    if (result < 0) {
      throw FileFailure.of((int) -result, path(), operation).about(status());
    }
  }

  @Override
  public void sync() throws IOException {
    descriptor.check("fsync", Libc::fsync);
  }

  @Override
  public void close() {
    descriptor.close();
  }

  private void advise(long offset, long length, int advice) throws IOException {
    var _ =
        optional("fadvise", descriptor.call(fd -> Libc.posixFadvise(fd, offset, length, advice)));
  }

  private Outcome optional(String operation, long result) throws IOException {
    if (Errno.meansNotSupported(result)) {
      return Outcome.NOT_SUPPORTED;
    }
    descriptor.checked(operation, result);
    return Outcome.DONE;
  }
}
