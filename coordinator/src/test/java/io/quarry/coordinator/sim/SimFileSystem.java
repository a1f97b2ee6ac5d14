package io.quarry.coordinator.sim;

import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.WatchService;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.spi.FileSystemProvider;
import java.util.List;
import java.util.Set;

/** A mount as a Java filesystem: simulations need only its paths. */
public final class SimFileSystem extends FileSystem {
  private final SimMount mount;
  private final SimProvider provider = new SimProvider();

  SimFileSystem(SimMount mount) {
    this.mount = mount;
  }

  SimMount mount() {
    return mount;
  }

  @Override
  public FileSystemProvider provider() {
    return provider;
  }

  @Override
  public Path getPath(String first, String... more) {
    return SimPath.of(this, more.length == 0 ? first : first + "/" + String.join("/", more));
  }

  @Override
  public Iterable<Path> getRootDirectories() {
    return List.of(getPath("/"));
  }

  @Override
  public String getSeparator() {
    return "/";
  }

  @Override
  public boolean isOpen() {
    return true;
  }

  @Override
  public boolean isReadOnly() {
    return false;
  }

  @Override
  public Set<String> supportedFileAttributeViews() {
    return Set.of("basic");
  }

  @Override
  public void close() {
    throw new UnsupportedOperationException("a mount is not closed");
  }

  @Override
  public Iterable<FileStore> getFileStores() {
    throw new UnsupportedOperationException("there are no file stores here");
  }

  @Override
  public PathMatcher getPathMatcher(String syntaxAndPattern) {
    throw new UnsupportedOperationException("no patterns here");
  }

  @Override
  public UserPrincipalLookupService getUserPrincipalLookupService() {
    throw new UnsupportedOperationException("no users here");
  }

  @Override
  public WatchService newWatchService() {
    throw new UnsupportedOperationException("nothing is watched here");
  }
}
