package io.quarry.coordinator.sim;

import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A path of a simulated filesystem. */
record SimPath(SimFileSystem files, boolean isAbsolute, List<String> names) implements Path {
  static SimPath of(SimFileSystem files, String text) {
    List<String> names = Arrays.stream(text.split("/")).filter(name -> !name.isEmpty()).toList();
    return new SimPath(files, text.startsWith("/"), names);
  }

  private SimPath with(boolean absolute, List<String> newNames) {
    return new SimPath(files, absolute, List.copyOf(newNames));
  }

  @Override
  public FileSystem getFileSystem() {
    return files;
  }

  @Override
  public @Nullable Path getRoot() {
    return isAbsolute ? with(true, List.of()) : null;
  }

  @Override
  public @Nullable Path getFileName() {
    return names.isEmpty() ? null : with(false, List.of(names.getLast()));
  }

  @Override
  public @Nullable Path getParent() {
    if (names.isEmpty() || (names.size() == 1 && !isAbsolute)) {
      return null;
    }
    return with(isAbsolute, names.subList(0, names.size() - 1));
  }

  @Override
  public int getNameCount() {
    return names.size();
  }

  @Override
  public Path getName(int index) {
    return with(false, List.of(names.get(index)));
  }

  @Override
  public Path subpath(int beginIndex, int endIndex) {
    return with(false, names.subList(beginIndex, endIndex));
  }

  @Override
  public boolean startsWith(Path other) {
    SimPath start = (SimPath) other;
    return start.isAbsolute == isAbsolute
        && start.names.size() <= names.size()
        && names.subList(0, start.names.size()).equals(start.names);
  }

  @Override
  public boolean endsWith(Path other) {
    SimPath end = (SimPath) other;
    return Collections.lastIndexOfSubList(names, end.names) == names.size() - end.names.size();
  }

  @Override
  public Path normalize() {
    return this;
  }

  @Override
  public Path resolve(Path other) {
    if (other.isAbsolute()) {
      return other;
    }
    List<String> all = new ArrayList<>(names);
    all.addAll(((SimPath) other).names);
    return with(isAbsolute, all);
  }

  @Override
  public Path relativize(Path other) {
    if (!other.startsWith(this)) {
      throw new IllegalArgumentException(other + " is not below " + this);
    }
    List<String> all = ((SimPath) other).names;
    return with(false, all.subList(names.size(), all.size()));
  }

  @Override
  public URI toUri() {
    return URI.create("sim://" + this);
  }

  @Override
  public Path toAbsolutePath() {
    return with(true, names);
  }

  @Override
  public Path toRealPath(LinkOption... options) {
    return toAbsolutePath();
  }

  @Override
  public WatchKey register(
      WatchService watcher, WatchEvent.Kind<?>[] events, WatchEvent.Modifier... modifiers) {
    throw new UnsupportedOperationException("nothing is watched here");
  }

  @Override
  public int compareTo(Path other) {
    return toString().compareTo(other.toString());
  }

  @Override
  public String toString() {
    return (isAbsolute ? "/" : "") + String.join("/", names);
  }
}
