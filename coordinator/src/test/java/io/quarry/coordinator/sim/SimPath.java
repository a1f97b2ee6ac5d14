package io.quarry.coordinator.sim;

import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A path of a simulated filesystem.
 *
 * @param text names separated by one slash, with a leading slash when the path is absolute
 */
record SimPath(SimFileSystem files, String text) implements Path {
  private static final String SLASH = "/";

  static SimPath of(SimFileSystem files, String text) {
    if (text.equals(SLASH) || (!text.endsWith(SLASH) && !text.contains(SLASH + SLASH))) {
      return new SimPath(files, text);
    }
    String start = text.startsWith(SLASH) ? SLASH : "";
    return new SimPath(files, start + String.join(SLASH, names(text)));
  }

  private static List<String> names(String text) {
    return Arrays.stream(text.split(SLASH, -1)).filter(name -> !name.isEmpty()).toList();
  }

  private List<String> names() {
    return names(text);
  }

  private Path with(String newText) {
    return new SimPath(files, newText);
  }

  @Override
  public FileSystem getFileSystem() {
    return files;
  }

  @Override
  public boolean isAbsolute() {
    return text.startsWith(SLASH);
  }

  @Override
  public @Nullable Path getRoot() {
    return isAbsolute() ? with(SLASH) : null;
  }

  @Override
  public @Nullable Path getFileName() {
    return text.equals(SLASH) ? null : with(text.substring(text.lastIndexOf('/') + 1));
  }

  @Override
  public @Nullable Path getParent() {
    int slash = text.lastIndexOf('/');
    if (slash < 0 || text.equals(SLASH)) {
      return null;
    }
    return with(slash == 0 ? SLASH : text.substring(0, slash));
  }

  @Override
  public int getNameCount() {
    return names().size();
  }

  @Override
  public Path getName(int index) {
    return with(names().get(index));
  }

  @Override
  public Path subpath(int beginIndex, int endIndex) {
    return with(String.join(SLASH, names().subList(beginIndex, endIndex)));
  }

  @Override
  public boolean startsWith(Path other) {
    List<String> start = ((SimPath) other).names();
    List<String> all = names();
    return other.isAbsolute() == isAbsolute()
        && start.size() <= all.size()
        && all.subList(0, start.size()).equals(start);
  }

  @Override
  public boolean endsWith(Path other) {
    List<String> end = ((SimPath) other).names();
    List<String> all = names();
    return end.size() <= all.size() && all.subList(all.size() - end.size(), all.size()).equals(end);
  }

  @Override
  public Path normalize() {
    return this;
  }

  @Override
  public Path resolve(Path other) {
    String more = ((SimPath) other).text;
    if (other.isAbsolute() || text.isEmpty()) {
      return other;
    }
    return more.isEmpty() ? this : with(text.equals(SLASH) ? text + more : text + SLASH + more);
  }

  @Override
  public Path relativize(Path other) {
    if (!other.startsWith(this)) {
      throw new IllegalArgumentException(other + " is not below " + this);
    }
    List<String> all = ((SimPath) other).names();
    return with(String.join(SLASH, all.subList(names().size(), all.size())));
  }

  @Override
  public URI toUri() {
    return URI.create("sim://" + this);
  }

  @Override
  public Path toAbsolutePath() {
    return isAbsolute() ? this : with(SLASH + text);
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
    return text.compareTo(((SimPath) other).text);
  }

  @Override
  public String toString() {
    return text;
  }
}
