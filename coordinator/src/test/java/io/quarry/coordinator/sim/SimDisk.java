package io.quarry.coordinator.sim;

import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The storage itself. Changes of names reach the disk in their order, as in the journal of any
 * Linux filesystem. Forcing a directory makes all earlier changes of names durable. The content of
 * a file becomes durable only by a force, or by chance.
 */
public final class SimDisk {
  /** Names and their inodes; directories have no inode. */
  private static final class Tree {
    final NavigableMap<String, Inode> files = new TreeMap<>();
    final NavigableSet<String> directories = new TreeSet<>(Set.of("/"));

    void become(Tree other) {
      files.clear();
      files.putAll(other.files);
      directories.clear();
      directories.addAll(other.directories);
    }
  }

  private final Tree seen = new Tree();
  private final Tree durable = new Tree();
  private final List<Consumer<Tree>> journal = new ArrayList<>();
  private final BiConsumer<String, byte[]> onLink;
  private final Map<String, Integer> forces = new HashMap<>();
  private long inodes;

  /**
   * @param onLink gets each name that a link takes, and the content, at that moment
   */
  public SimDisk(BiConsumer<String, byte[]> onLink) {
    this.onLink = onLink;
  }

  /** Loses a part of the data that is not durable; the seed decides. */
  public void powerCut(Random random) {
    int kept = random.nextInt(journal.size() + 1);
    journal.subList(0, kept).forEach(change -> change.accept(durable));
    journal.clear();
    seen.become(durable);
    // In the order of their creation: names may be random.
    seen.files.values().stream()
        .distinct()
        .sorted(Comparator.comparingLong(Inode::number))
        .forEach(inode -> inode.powerCut(random));
  }

  /** Makes all data durable. */
  public void forceAll() {
    forceNames();
    seen.files.values().forEach(Inode::force);
  }

  /** Data in that directory of a repository is durable now. */
  void forced(String path) {
    int begin = 1 + path.indexOf('/', 1);
    int end = path.indexOf('/', begin);
    forces.merge(path.substring(begin, end < 0 ? path.length() : end), 1, Integer::sum);
  }

  /** How often data in such a directory of any repository was made durable. */
  public int forces(String directory) {
    return forces.getOrDefault(directory, 0);
  }

  /** Makes all changes of names so far durable. */
  void forceNames() {
    journal.forEach(change -> change.accept(durable));
    journal.clear();
  }

  private void change(Consumer<Tree> change) {
    change.accept(seen);
    journal.add(change);
  }

  boolean isDirectory(String path) {
    return seen.directories.contains(path);
  }

  @Nullable Inode find(String path) {
    return seen.files.get(path);
  }

  Inode get(String path) throws FileSystemException {
    Inode inode = find(path);
    if (inode == null) {
      throw isDirectory(path)
          ? new FileSystemException(path, null, "Is a directory")
          : new NoSuchFileException(path);
    }
    return inode;
  }

  Inode create(String path) throws FileSystemException {
    requireFree(path);
    Inode inode = new Inode(inodes++);
    change(tree -> tree.files.put(path, inode));
    return inode;
  }

  void link(String path, String existing) throws FileSystemException {
    link(path, get(existing));
  }

  void link(String path, Inode inode) throws FileSystemException {
    requireFree(path);
    change(tree -> tree.files.put(path, inode));
    onLink.accept(path, inode.content());
  }

  void move(String from, String to) throws FileSystemException {
    Inode inode = get(from);
    requireParent(to);
    change(tree -> {
      tree.files.remove(from);
      tree.files.put(to, inode);
    });
  }

  void createDirectory(String path) throws FileSystemException {
    requireFree(path);
    change(tree -> tree.directories.add(path));
  }

  void delete(String path) throws FileSystemException {
    if (isDirectory(path)) {
      if (!list(path).isEmpty()) {
        throw new DirectoryNotEmptyException(path);
      }
      change(tree -> tree.directories.remove(path));
    } else {
      var _ = get(path);
      change(tree -> tree.files.remove(path));
    }
  }

  /** Names in a directory. */
  List<String> list(String directory) throws FileSystemException {
    if (!isDirectory(directory)) {
      throw new NoSuchFileException(directory);
    }
    String prefix = directory.equals("/") ? "/" : directory + "/";
    List<String> names = new ArrayList<>();
    addNames(names, prefix, seen.files.navigableKeySet());
    addNames(names, prefix, seen.directories);
    return names;
  }

  private static void addNames(List<String> names, String prefix, NavigableSet<String> paths) {
    for (String path : paths.tailSet(prefix, false)) {
      if (!path.startsWith(prefix)) {
        return;
      }
      if (path.indexOf('/', prefix.length()) < 0) {
        names.add(path.substring(prefix.length()));
      }
    }
  }

  private void requireFree(String path) throws FileSystemException {
    if (find(path) != null || isDirectory(path)) {
      throw new FileAlreadyExistsException(path);
    }
    requireParent(path);
  }

  private void requireParent(String path) throws FileSystemException {
    String parent = path.substring(0, Math.max(1, path.lastIndexOf('/')));
    if (!isDirectory(parent)) {
      throw new NoSuchFileException(parent);
    }
  }
}
