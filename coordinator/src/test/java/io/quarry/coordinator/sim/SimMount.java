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
 * The storage as one life of one host reaches it. What goes wrong is ordered beforehand and strikes
 * once. After its death nothing it does has an effect.
 */
public final class SimMount {
  /** What becomes of a link. */
  public enum LinkFault {
    /** The name is taken, the caller learns nothing. */
    LOST_REPLY,
    /** The name is taken, and the caller is told that it was taken already. */
    SENT_TWICE,
    /** The caller learns nothing, and the name is taken when {@link #landDelayed} is called. */
    DELAYED
  }

  /** A change that was sent and not carried out yet. */
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
   * @param beforeEachStep is called before anything that others could see or that looks at others;
   *     what it throws is the host's death
   */
  public SimMount(SimDisk disk, Consumer<String> beforeEachStep) {
    this.disk = disk;
    this.beforeEachStep = beforeEachStep;
    this.files = new SimFileSystem(this);
  }

  /** Where its files are. */
  public SimFileSystem files() {
    return files;
  }

  SimDisk disk() {
    return disk;
  }

  /** The fates of the next links, in order. */
  public void nextLinks(LinkFault... faults) {
    linkFaults.addAll(List.of(faults));
  }

  public void failReads(int count) {
    readFaults = count;
  }

  public void failWrites(int count) {
    writeFaults = count;
  }

  /** The storage is full, for so many files and writes. */
  public void fill(int count) {
    spaceFaults = count;
  }

  public void failForces(int count) {
    forceFaults = count;
  }

  /**
   * Until it changes something itself, this host sees the directory as it is now: NFS does that.
   */
  public void freezeListing(String directory) throws IOException {
    staleDirectory = directory;
    staleNames = disk.list(directory);
  }

  /** What was delayed happens now, if it still can. */
  public void landDelayed() {
    for (Late late : delayed) {
      try {
        late.land();
      } catch (IOException e) {
        // The name is taken by now: nobody hears of it.
      }
    }
    delayed.clear();
  }

  /** What was on its way is lost. */
  public void loseDelayed() {
    delayed.clear();
  }

  void step(String what) {
    if (dead) {
      // Another one each time: what closes a stream after a death adds its own to the first.
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

  /** Hints of the log are everybody's. */
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
