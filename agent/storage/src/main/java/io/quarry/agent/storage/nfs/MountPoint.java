package io.quarry.agent.storage.nfs;

import io.quarry.agent.data.os.Errno;
import io.quarry.agent.data.os.MountTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A directory for one mount, and the connections that use the mount. VMs may use the mount as well,
 * also without a connection: a mount in use is never taken from its users.
 */
final class MountPoint {
  private static final Logger LOG = LoggerFactory.getLogger(MountPoint.class);

  /** Why a connection does not use the mount any more. */
  enum End {
    DISCONNECTED,
    /** The agent has no use for the connection any more, but VMs may use a mount that was found. */
    CLOSED,
    /** The connection was not made. */
    FAILED,
    /** The next agent finds the mount again. */
    AGENT_ENDS
  }

  /** Whether a connection has found its mount, or has made the mount. */
  enum Origin {
    FOUND,
    MADE
  }

  /** Mounts, or finds the mount. */
  interface Mounter {
    Origin ensureMounted() throws IOException, InterruptedException;
  }

  private final Path path;
  private final MountChild child;
  private final Duration deadline;

  /** Guards the fields below, and the mount. */
  private final ReentrantLock lock = new ReentrantLock();

  private int uses;
  private Origin origin = Origin.FOUND;

  /** Whether another connection has used the mount besides the one that made the mount. */
  private boolean joined;

  /**
   * @param deadline of a call that unmounts
   */
  MountPoint(Path path, MountChild child, Duration deadline) {
    this.path = path;
    this.child = child;
    this.deadline = deadline;
  }

  void enter(Mounter mounter) throws IOException, InterruptedException {
    lock.lock();
    try {
      Origin now = mounter.ensureMounted();
      if (now == Origin.MADE || uses == 0) {
        origin = now;
      }
      joined = uses > 0;
      uses++;
    } finally {
      lock.unlock();
    }
  }

  void leave(End end) {
    lock.lock();
    try {
      uses--;
      if (uses > 0 || end == End.AGENT_ENDS) {
        return;
      }
      if (end == End.DISCONNECTED) {
        unmount(false);
      } else if (origin == Origin.MADE) {
        unmount(end == End.FAILED && !joined);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Unmounts, and removes the directory; a failure is only logged. A mount in use stays.
   *
   * @param lazily also unmounts a mount in use, which must be one that no VM has seen
   */
  void unmount(boolean lazily) {
    try {
      String answer = "";
      if (MountTable.read().at(path).isPresent()) {
        answer = child.run(deadline, MountMain.UNMOUNT, path.toString(), Boolean.toString(lazily));
        LOG.info("Unmounting {}: {}", path, MountChild.text(answer));
      }
      if (MountTable.read().at(path).isEmpty()) {
        Files.deleteIfExists(path);
      } else {
        warn(answer);
      }
    } catch (IOException e) {
      LOG.warn("{} is left behind; run umount {} as root", path, path, e);
    } catch (InterruptedException e) {
      LOG.warn("{} is left behind; run umount {} as root", path, path);
      Thread.currentThread().interrupt();
    }
  }

  private void warn(String answer) {
    if (Errno.of(MountChild.errno(answer)) == Errno.EBUSY) {
      LOG.warn(
          "{} stays mounted, since processes use it, perhaps VMs. End the processes that fuser -m"
              + " {} names, and run umount {} as root; or connect the repository again",
          path,
          path,
          path);
    } else {
      LOG.warn("{} stays mounted: {}; run umount {} as root", path, MountChild.text(answer), path);
    }
  }
}
