package io.quarry.coordinator.sim;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The storage as one life of one host reaches it. A test orders each fault beforehand, and the
 * fault strikes once. After the life's death its calls have no effect.
 */
public final class SimMount {
  /** The fault of a link. */
  public enum LinkFault {
    NONE,
    /** The name is taken, but the caller gets no reply. */
    LOST_REPLY,
    /** The name is taken, and the reply says that it was taken before. */
    SENT_TWICE,
    /** The caller gets no reply, and the name is taken when {@link #landDelayed} is called. */
    DELAYED
  }

  /** A change that was sent and is delayed. */
  private interface Late {
    void land() throws IOException;
  }

  private final SimDisk disk;
  private final Consumer<String> beforeEachStep;
  private final SimFileSystem files;
  private final Queue<LinkFault> linkFaults = new ArrayDeque<>();
  private final List<Late> delayed = new ArrayList<>();
  private int readFaults;
  private int writeFaults;
  private int forceFaults;
  private int spaceFaults;
  private @Nullable List<String> staleNames;
  private @Nullable String staleDirectory;
  private boolean dead;

  /**
   * @param beforeEachStep runs before each operation that other hosts could see or that reads their
   *     work; an error that it throws is the host's death
   */
  public SimMount(SimDisk disk, Consumer<String> beforeEachStep) {
    this.disk = disk;
    this.beforeEachStep = beforeEachStep;
    this.files = new SimFileSystem(this);
  }

  /** The filesystem of this mount. */
  public SimFileSystem files() {
    return files;
  }

  SimDisk disk() {
    return disk;
  }

  /** The faults of the next links, in order. */
  public void nextLinks(LinkFault... faults) {
    linkFaults.addAll(List.of(faults));
  }

  public void failReads(int count) {
    readFaults = count;
  }

  public void failWrites(int count) {
    writeFaults = count;
  }

  /** The storage is full for that many files and writes. */
  public void fill(int count) {
    spaceFaults = count;
  }

  public void failForces(int count) {
    forceFaults = count;
  }

  /** Until its next own change, this host sees the present directory: NFS does that. */
  public void freezeListing(String directory) throws IOException {
    staleDirectory = directory;
    staleNames = disk.list(directory);
  }

  /** Carries out the delayed changes that are still possible. */
  public void landDelayed() {
    for (Late late : delayed) {
      try {
        late.land();
      } catch (IOException e) {
        // The name is taken by now: the caller never learns of it.
      }
    }
    delayed.clear();
  }

  /** Drops the delayed changes. */
  public void loseDelayed() {
    delayed.clear();
  }

  void step(String what) {
    if (dead) {
      // A new error each time: closing a stream after a death adds a suppressed error to the first
      // one.
      throw new Baton.Died();
    }
    try {
      beforeEachStep.accept(what);
    } catch (Baton.Died e) {
      dead = true;
      throw e;
    }
  }

  List<String> list(String directory) throws IOException {
    step("list " + directory);
    failRead(directory);
    List<String> stale = staleNames;
    return stale != null && directory.equals(staleDirectory) ? stale : disk.list(directory);
  }

  Inode open(String path) throws IOException {
    step("open " + path);
    failRead(path);
    return disk.get(path);
  }

  private void failRead(String path) throws IOException {
    if (readFaults > 0) {
      readFaults--;
      throw new FileSystemException(path, null, "Input/output error");
    }
  }

  Inode create(String path) throws IOException {
    step("create " + path);
    failForSpace();
    return disk.create(path);
  }

  void write(String path, SimChannel by, Inode inode, long offset, byte[] bytes)
      throws IOException {
    step("write " + path);
    if (writeFaults > 0) {
      writeFaults--;
      throw new IOException("Input/output error");
    }
    failForSpace();
    noteWriter(path, by, inode);
    inode.write(offset, bytes);
  }

  /** All hosts write the log's hints. */
  private static void noteWriter(String path, SimChannel by, Inode inode) {
    if (path.contains("/volumes/")) {
      inode.writtenBy(by, path);
    }
  }

  private void failForSpace() throws IOException {
    if (spaceFaults > 0) {
      spaceFaults--;
      throw new SimFull();
    }
  }

  void truncate(String path, SimChannel by, Inode inode, long size) {
    step("truncate " + path);
    noteWriter(path, by, inode);
    inode.truncate(size);
  }

  void force(String path, @Nullable Inode inode) throws IOException {
    step("force " + path);
    if (forceFaults > 0) {
      forceFaults--;
      if (inode != null) {
        inode.failForce();
      }
      throw new IOException("Input/output error");
    }
    if (inode == null) {
      disk.forceNames();
    } else {
      inode.force();
    }
    disk.forced(path);
  }

  void link(String path, String existing) throws IOException {
    step("link " + path);
    LinkFault fault = linkFaults.poll();
    if (fault == LinkFault.DELAYED) {
      Inode sent = disk.get(existing);
      delayed.add(() -> disk.link(path, sent));
      throw new IOException("timed out");
    }
    staleNames = null;
    disk.link(path, existing);
    if (fault == LinkFault.LOST_REPLY) {
      throw new IOException("timed out");
    }
    if (fault == LinkFault.SENT_TWICE) {
      throw new FileAlreadyExistsException(path);
    }
  }

  void move(String from, String to) throws IOException {
    step("move " + from + " to " + to);
    staleNames = null;
    disk.move(from, to);
  }

  void createDirectory(String path) throws IOException {
    step("mkdir " + path);
    disk.createDirectory(path);
  }

  void delete(String path) throws IOException {
    step("delete " + path);
    disk.delete(path);
  }
}
