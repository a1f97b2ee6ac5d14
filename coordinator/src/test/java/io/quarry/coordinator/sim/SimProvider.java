package io.quarry.coordinator.sim;

import java.io.IOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.spi.FileSystemProvider;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The part of {@link java.nio.file.Files} that the code under test uses. */
final class SimProvider extends FileSystemProvider {
  private static SimMount mount(Path path) {
    return ((SimPath) path).files().mount();
  }

  private static String text(Path path) {
    return path.toAbsolutePath().toString();
  }

  @Override
  public String getScheme() {
    return "sim";
  }

  @Override
  public FileChannel newFileChannel(
      Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
      throws IOException {
    SimMount mount = mount(path);
    String name = text(path);
    boolean writes = options.contains(StandardOpenOption.WRITE);
    boolean reads = !writes || options.contains(StandardOpenOption.READ);
    if (mount.disk().isDirectory(name)) {
      mount.step("open " + name);
      return new SimChannel(mount, name, null, false, false);
    }
    if (options.contains(StandardOpenOption.CREATE_NEW)
        || (options.contains(StandardOpenOption.CREATE) && mount.disk().find(name) == null)) {
      return new SimChannel(mount, name, mount.create(name), reads, writes);
    }
    SimChannel channel = new SimChannel(mount, name, mount.open(name), reads, writes);
    return options.contains(StandardOpenOption.TRUNCATE_EXISTING) ? channel.truncate(0) : channel;
  }

  @Override
  public SeekableByteChannel newByteChannel(
      Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
      throws IOException {
    return newFileChannel(path, options, attributes);
  }

  @Override
  public DirectoryStream<Path> newDirectoryStream(
      Path directory, DirectoryStream.Filter<? super Path> filter) throws IOException {
    SimMount mount = mount(directory);
    String name = text(directory);
    if (mount.disk().find(name) != null) {
      throw new NotDirectoryException(name);
    }
    List<Path> entries = mount.list(name).stream().map(directory::resolve).toList();
    return new DirectoryStream<>() {
      @Override
      public Iterator<Path> iterator() {
        return entries.iterator();
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public void createDirectory(Path path, FileAttribute<?>... attributes) throws IOException {
    mount(path).createDirectory(text(path));
  }

  @Override
  public void createLink(Path link, Path existing) throws IOException {
    mount(link).link(text(link), text(existing));
  }

  @Override
  public void delete(Path path) throws IOException {
    mount(path).delete(text(path));
  }

  /** Replaces an existing target, as rename does. */
  @Override
  public void move(Path source, Path target, CopyOption... options) throws IOException {
    mount(source).move(text(source), text(target));
  }

  @Override
  public void checkAccess(Path path, AccessMode... modes) throws IOException {
    var _ = readAttributes(path, BasicFileAttributes.class);
  }

  @Override
  @SuppressWarnings("unchecked")
  public <A extends BasicFileAttributes> A readAttributes(
      Path path, Class<A> type, LinkOption... options) throws IOException {
    SimMount mount = mount(path);
    String name = text(path);
    mount.step("stat " + name);
    Inode inode = mount.disk().find(name);
    if (inode == null && !mount.disk().isDirectory(name)) {
      throw new NoSuchFileException(name);
    }
    return (A) new SimAttributes(inode == null, inode == null ? 0 : inode.size());
  }

  @Override
  public boolean isSameFile(Path path, Path other) {
    return text(path).equals(text(other));
  }

  @Override
  public boolean isHidden(Path path) {
    return false;
  }

  @Override
  public FileStore getFileStore(Path path) {
    return new SimFileStore();
  }

  @Override
  public void copy(Path source, Path target, CopyOption... options) {
    throw new UnsupportedOperationException("nothing is copied here");
  }

  @Override
  public <V extends FileAttributeView> @Nullable V getFileAttributeView(
      Path path, Class<V> type, LinkOption... options) {
    return null;
  }

  @Override
  public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options) {
    throw new UnsupportedOperationException("attributes have no names here");
  }

  @Override
  public void setAttribute(Path path, String attribute, Object value, LinkOption... options) {
    throw new UnsupportedOperationException("attributes are not set here");
  }

  @Override
  public FileSystem newFileSystem(URI uri, Map<String, ?> environment) {
    throw new UnsupportedOperationException("make a SimMount");
  }

  @Override
  public FileSystem getFileSystem(URI uri) {
    throw new UnsupportedOperationException("make a SimMount");
  }

  @Override
  public Path getPath(URI uri) {
    throw new UnsupportedOperationException("make a SimMount");
  }
}
