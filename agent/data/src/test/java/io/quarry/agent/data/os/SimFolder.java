package io.quarry.agent.data.os;

import io.quarry.coordinator.sim.SimFull;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * A directory of a simulated filesystem. The filesystem has no links and no modes, and never fills
 * up.
 */
public final class SimFolder implements Folder {
  static final Filesystem FILESYSTEM = new Filesystem(0, 0, 0, 0, false);

  private final Path path;

  public SimFolder(Path path) {
    this.path = path;
  }

  /** A call on the simulated filesystem that may fail. */
  interface Action<T> {
    T run() throws IOException;
  }

  /** Translates a failure to the one that the kernel would report; passes unknown failures on. */
  static <T> T failing(Path path, String operation, Action<T> action) throws IOException {
    try {
      return action.run();
    } catch (NoSuchFileException e) {
      throw FileFailure.of(Errno.ENOENT.number(), path, operation);
    } catch (FileAlreadyExistsException e) {
      throw FileFailure.of(Errno.EEXIST.number(), path, operation);
    } catch (SimFull e) {
      throw FileFailure.of(Errno.ENOSPC.number(), path, operation);
    }
  }

  static FileStatus status(FileStatus.Kind kind, long size) {
    return new FileStatus(kind, size, 0, 0, 0, Instant.EPOCH, size, 1, false);
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public Folder again() {
    return new SimFolder(path);
  }

  @Override
  public Folder folder(String name) throws IOException {
    if (!Files.isDirectory(path(name))) {
      throw FileFailure.of(Errno.ENOENT.number(), path(name), "open directory");
    }
    return new SimFolder(path(name));
  }

  @Override
  public NativeFile openRead(String name) throws IOException {
    return open(name, StandardOpenOption.READ);
  }

  @Override
  public NativeFile openWrite(String name) throws IOException {
    return open(name, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  @Override
  public NativeFile createNew(String name, int mode) throws IOException {
    return open(
        name, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
  }

  private NativeFile open(String name, OpenOption... options) throws IOException {
    FileChannel channel = failing(path(name), "open", () -> FileChannel.open(path(name), options));
    return new SimFile(path(name), channel);
  }

  @Override
  public FileStatus status(String name) throws IOException {
    BasicFileAttributes found =
        failing(
            path(name), "stat", () -> Files.readAttributes(path(name), BasicFileAttributes.class));
    return status(
        found.isDirectory() ? FileStatus.Kind.DIRECTORY : FileStatus.Kind.FILE, found.size());
  }

  @Override
  public List<String> names() throws IOException {
    return failing(
        path,
        "list",
        () -> {
          List<String> names = new ArrayList<>();
          try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
            entries.forEach(entry -> names.add(String.valueOf(entry.getFileName())));
          }
          return names;
        });
  }

  @Override
  public void link(String name, Folder from, String existing) throws IOException {
    var _ = failing(path(name), "link", () -> Files.createLink(path(name), from.path(existing)));
  }

  @Override
  public void rename(String name, Folder from, String existing) throws IOException {
    var _ =
        failing(
            path(name),
            "rename",
            () -> Files.move(from.path(existing), path(name), StandardCopyOption.REPLACE_EXISTING));
  }

  @Override
  public boolean remove(String name) throws IOException {
    return Files.deleteIfExists(path(name));
  }

  @Override
  public boolean createFolder(String name) throws IOException {
    try {
      Files.createDirectory(path(name));
      return true;
    } catch (FileAlreadyExistsException e) {
      return false;
    }
  }

  @Override
  public boolean removeFolder(String name) throws IOException {
    return Files.deleteIfExists(path(name));
  }

  @Override
  public void setGroup(int gid) {}

  @Override
  public void force() throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  @Override
  public Filesystem filesystem() {
    return FILESYSTEM;
  }

  @Override
  public long mountId() {
    return 0;
  }

  @Override
  public void close() {}
}
