package io.quarry.agent.data.os;

import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A directory by its descriptor. A name has one component, so openat with O_NOFOLLOW stays inside
 * the directory. openat2 would promise no more, and containers forbid that call.
 */
final class SystemFolder implements Folder {
  private static final int LISTING_BYTES = 32 << 10;
  private static final int UNCHANGED = -1;
  private static final int AT_REMOVEDIR = 0x200;
  private static final int SAFE =
      OpenFlags.NO_FOLLOW
          | OpenFlags.NON_BLOCKING
          | OpenFlags.NO_TERMINAL
          | OpenFlags.CLOSE_ON_EXEC;

  private final Descriptor descriptor;

  private SystemFolder(Path path, int fd) {
    this.descriptor = new Descriptor(path, fd);
  }

  static SystemFolder open(Path directory) throws FileFailure {
    int fd = Libc.open(directory.toString(), OpenFlags.DIRECTORY | OpenFlags.CLOSE_ON_EXEC, 0);
    return opened(directory, fd);
  }

  private static SystemFolder opened(Path directory, long fd) throws FileFailure {
    if (fd < 0) {
      throw FileFailure.of((int) -fd, directory, "open directory");
    }
    return new SystemFolder(directory, (int) fd);
  }

  @Override
  public Path path() {
    return descriptor.path();
  }

  @Override
  public Folder again() throws IOException {
    return new SystemFolder(path(), itself("open directory"));
  }

  private int itself(String operation) throws IOException {
    int flags = OpenFlags.DIRECTORY | OpenFlags.CLOSE_ON_EXEC;
    return (int) descriptor.check(operation, number -> Libc.openat(number, ".", flags, 0));
  }

  @Override
  public Folder folder(String name) throws IOException {
    long fd = openat(name, SAFE | OpenFlags.DIRECTORY, 0);
    return opened(path(name), fd);
  }

  @Override
  public NativeFile openRead(String name) throws IOException {
    return openFile(name, OpenFlags.READ);
  }

  @Override
  public NativeFile openWrite(String name) throws IOException {
    return openFile(name, OpenFlags.READ_WRITE);
  }

  private NativeFile openFile(String name, int access) throws IOException {
    int fd = opened(name, access | SAFE, 0);
    NativeFile file = new DescriptorFile(path(name), fd, access);
    try {
      FileStatus.Kind kind = file.status().kind();
      if (kind != FileStatus.Kind.FILE) {
        throw FileFailure.refused(path(name), "open", "It is " + kind.text());
      }
      return file;
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  @Override
  public NativeFile createNew(String name, int mode) throws IOException {
    int access = OpenFlags.READ_WRITE;
    int fd = opened(name, access | SAFE | OpenFlags.CREATE_NEW, mode);
    NativeFile file = new DescriptorFile(path(name), fd, access);
    try {
      file.setMode(mode);
      return file;
    } catch (IOException | RuntimeException e) {
      file.close();
      remove(name);
      throw e;
    }
  }

  private int opened(String name, int flags, int mode) throws IOException {
    long fd = openat(name, flags, mode);
    if (fd < 0) {
      FileFailure failure = FileFailure.of((int) -fd, path(name), "open");
      throw failure.kind() == FileFailure.Kind.FORBIDDEN ? explained(name, failure) : failure;
    }
    return (int) fd;
  }

  /** If the file exists, the file itself is forbidden; otherwise the folder is. */
  private FileFailure explained(String name, FileFailure failure) throws IOException {
    try {
      return failure.about(status(name));
    } catch (FileFailure e) {
      return failure;
    }
  }

  /**
   * A network filesystem's client may know the name of a file that is gone; a second call asks the
   * server.
   */
  private long openat(String name, int flags, int mode) throws IOException {
    requireName(name);
    long fd = descriptor.call(number -> Libc.openat(number, name, flags, mode));
    return Errno.ESTALE.is(fd)
        ? descriptor.call(number -> Libc.openat(number, name, flags, mode))
        : fd;
  }

  @Override
  public FileStatus status(String name) throws IOException {
    requireComponent(name);
    return FileStatus.of(
        (flags, mask, into) ->
            checked(
                name,
                "stat",
                descriptor.call(number -> Libc.statx(number, name, flags, mask, into))),
        FileStatus.OF_THE_LINK_ITSELF);
  }

  @Override
  public List<String> names() throws IOException {
    List<String> names = new ArrayList<>();
    try (Descriptor listing = new Descriptor(path(), itself("list"));
        Arena arena = Arena.ofConfined()) {
      MemorySegment entries = arena.allocate(LISTING_BYTES, Long.BYTES);
      for (long bytes = 1; bytes > 0; ) {
        bytes = listing.check("list", number -> Libc.getdents(number, entries));
        addNames(entries, bytes, names);
      }
    }
    return names;
  }

  /** Each entry: inode and offset, 8 bytes each, its length (2), its kind (1), its name. */
  private static void addNames(MemorySegment entries, long bytes, List<String> names) {
    for (long at = 0; at < bytes; ) {
      String name = entries.getString(at + 19);
      if (!name.equals(".") && !name.equals("..")) {
        names.add(name);
      }
      at += Short.toUnsignedInt(entries.get(JAVA_SHORT, at + 16));
    }
  }

  @Override
  public void link(String name, Folder from, String existing) throws IOException {
    requireName(name);
    requireName(existing);
    checked(
        name,
        "link",
        of(from)
            .call(
                source -> descriptor.call(number -> Libc.linkat(source, existing, number, name))));
  }

  @Override
  public void rename(String name, Folder from, String existing) throws IOException {
    requireName(name);
    requireName(existing);
    checked(
        name,
        "rename",
        of(from)
            .call(source ->
                descriptor.call(number -> Libc.renameat(source, existing, number, name))));
  }

  private static Descriptor of(Folder folder) {
    return ((SystemFolder) folder).descriptor;
  }

  @Override
  public boolean remove(String name) throws IOException {
    requireComponent(name);
    return unlink(name, 0);
  }

  @Override
  public boolean removeFolder(String name) throws IOException {
    requireName(name);
    return unlink(name, AT_REMOVEDIR);
  }

  private boolean unlink(String name, int flags) throws IOException {
    long result = descriptor.call(number -> Libc.unlinkat(number, name, flags));
    if (Errno.ENOENT.is(result) || Errno.ESTALE.is(result)) {
      return false;
    }
    checked(name, "remove", result);
    return true;
  }

  @Override
  public boolean createFolder(String name) throws IOException {
    requireName(name);
    int mode = FileModes.DIRECTORY;
    long result = descriptor.call(number -> Libc.mkdirat(number, name, mode));
    if (Errno.EEXIST.is(result)) {
      return false;
    }
    checked(name, "make directory", result);
    try (SystemFolder made = opened(path(name), openat(name, SAFE | OpenFlags.DIRECTORY, 0))) {
      made.descriptor.check("chmod", number -> Libc.fchmod(number, mode));
    }
    return true;
  }

  @Override
  public void setGroup(int gid) throws IOException {
    descriptor.check("chown", fd -> Libc.fchown(fd, UNCHANGED, gid));
  }

  @Override
  public void force() throws IOException {
    descriptor.check("fsync", Libc::fsync);
  }

  @Override
  public Filesystem filesystem() throws IOException {
    return Filesystem.of(into -> descriptor.check("statfs", fd -> Libc.fstatfs(fd, into)));
  }

  @Override
  public long mountId() throws IOException {
    return FileStatus.mountId((flags, mask, into) ->
        descriptor.check("stat", fd -> Libc.statx(fd, "", flags, mask, into)));
  }

  private long checked(String name, String operation, long result) throws FileFailure {
    if (result < 0) {
      throw FileFailure.of((int) -result, path(name), operation);
    }
    return result;
  }

  private void requireName(String name) throws FileFailure {
    if (!NAME.matcher(name).matches()) {
      throw FileFailure.refused(path(), "open", "no file of a repository is called " + name);
    }
    requireComponent(name);
  }

  private void requireComponent(String name) throws FileFailure {
    if (name.isEmpty()
        || name.equals(".")
        || name.equals("..")
        || name.indexOf('/') >= 0
        || name.indexOf('\0') >= 0) {
      throw FileFailure.refused(path(), "open", "a name is expected, not the path " + name);
    }
  }

  @Override
  public void close() {
    descriptor.close();
  }
}
