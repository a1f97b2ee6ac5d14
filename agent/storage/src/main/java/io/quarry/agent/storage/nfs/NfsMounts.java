package io.quarry.agent.storage.nfs;

import io.quarry.agent.data.os.Errno;
import io.quarry.agent.data.os.Mount;
import io.quarry.agent.data.os.MountTable;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.storage.directory.DirectoryConnection;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.thread.Deadline;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The mounts of this agent, each at a directory of its own. Connections of one export with the same
 * options share a mount. A mount outlives the agent's process, since VMs use the mount; the next
 * agent finds the mount again.
 *
 * <p>Calls may come from several threads at once. A file server that does not answer delays calls
 * about its own exports alone.
 */
final class NfsMounts {
  private static final Logger LOG = LoggerFactory.getLogger(NfsMounts.class);

  /**
   * A server that works answers within milliseconds, or within seconds after a change of exports.
   */
  static final Duration DEADLINE = Duration.ofSeconds(10);

  /** QEMU reaches volumes through these directories. */
  private static final String SEARCHABLE = "rwx--x--x";

  private final Path directory;
  private final String clientId;
  private final MountChild child;
  private final Duration deadline;
  private final Map<Path, Shared> all = new ConcurrentHashMap<>();
  private volatile boolean agentEnds;

  /** The connections that use a mount point. The lock guards the count and the mount point. */
  private static final class Shared {
    private final ReentrantLock lock = new ReentrantLock();
    private int uses;
  }

  /**
   * @param directory of the mount points
   * @param clientId what this host is to NFS servers, unless the kernel knows it already
   * @param deadline of a call that mounts or unmounts
   */
  NfsMounts(Path directory, String clientId, Spawner spawner, Duration deadline) {
    this.directory = directory;
    this.clientId = clientId;
    this.child = new MountChild(new Children(spawner, "mounts"));
    this.deadline = deadline;
  }

  /** A mount in use. The last user's close unmounts. */
  final class Use implements AutoCloseable {
    private final Path path;
    private final AtomicBoolean closed = new AtomicBoolean();

    private Use(Path path) {
      this.path = path;
    }

    Path path() {
      return path;
    }

    @Override
    public void close() {
      if (closed.compareAndSet(false, true)) {
        release(path);
      }
    }
  }

  /** Mounts the export, or finds the export mounted. */
  Use mount(NfsExport export) {
    Path point = directory.resolve(export.mountPoint());
    Shared shared = all.computeIfAbsent(point, _ -> new Shared());
    shared.lock.lock();
    try {
      ensureMounted(export, point);
      shared.uses++;
      return new Use(point);
    } catch (IOException e) {
      throw DirectoryConnection.unusable(
          point,
          export.source() + " is not mounted: " + e.getMessage(),
          "see the agent's log and this host's kernel log");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StorageException(
          ErrorCode.AGENT_UNAVAILABLE,
          "the agent stops",
          export.source(),
          "repeat the call, or ask another agent",
          e);
    } finally {
      shared.lock.unlock();
    }
  }

  private void ensureMounted(NfsExport export, Path point)
      throws IOException, InterruptedException {
    Optional<Mount> found = MountTable.read().at(point);
    if (found.isPresent()) {
      if (found.get().source().equals(export.source())) {
        NfsMountOptions.requireSafe(found.get(), point);
        LOG.info("{} is mounted at {} already", export.source(), point);
        return;
      }
      requireUnmounted(point, found.get());
    }
    makeDirectories(point);
    removeLeftovers();
    try {
      mount(export, point);
      Optional<Mount> made = MountTable.read().at(point);
      NfsMountOptions.requireSafe(
          made.orElseThrow(() -> new IOException("the kernel does not list the mount")), point);
      LOG.info("{} is mounted at {}", export.source(), point);
    } catch (IOException | InterruptedException | RuntimeException e) {
      // A child that was killed or gave up may have mounted just before.
      unmountCompletely(point);
      throw e;
    }
  }

  /** Another mount has the place. Processes that use the mount keep it. */
  private void requireUnmounted(Path point, Mount other) throws IOException, InterruptedException {
    String answer = child.run(deadline, MountMain.UNMOUNT, point.toString(), "false");
    if (!answer.equals(MountMain.DONE)) {
      throw DirectoryConnection.unusable(
          point,
          other.source() + " is mounted at " + point + " and cannot be unmounted: " + text(answer),
          "end the processes that use it (fuser -m " + point + "), and run umount " + point);
    }
  }

  private void makeDirectories(Path point) throws IOException {
    for (Path each : new Path[] {directory, point}) {
      try {
        Files.createDirectory(each);
        Files.setPosixFilePermissions(each, PosixFilePermissions.fromString(SEARCHABLE));
      } catch (FileAlreadyExistsException e) {
        LOG.debug("{} is there already", each);
      }
    }
  }

  /** Earlier agents may have left mount points at which nothing is mounted any more. */
  private void removeLeftovers() throws IOException {
    MountTable mounted = MountTable.read();
    try (DirectoryStream<Path> points = Files.newDirectoryStream(directory)) {
      for (Path each : points) {
        if (mounted.at(each).isEmpty()) {
          // A mount point that this agent uses is in the map before the agent makes it.
          all.compute(each, (_, shared) -> shared == null ? removed(each) : shared);
        }
      }
    }
  }

  private static @Nullable Shared removed(Path point) {
    try {
      Files.delete(point);
    } catch (IOException e) {
      LOG.debug("{} stays: {}", point, e.toString());
    }
    return null;
  }

  private void mount(NfsExport export, Path point) throws IOException, InterruptedException {
    Deadline end = Deadline.after(deadline);
    String answer = "";
    for (String version : NfsMountOptions.versions(export)) {
      answer = mount(export, point, NfsMountOptions.of(export, version), end);
      if (Errno.of(errno(answer)) != Errno.EPROTONOSUPPORT) {
        break;
      }
    }
    if (answer.equals(MountMain.SILENT)) {
      throw MountFailure.silent(export, deadline.toSeconds());
    }
    if (answer.equals(MountMain.UNKNOWN_HOST)) {
      throw MountFailure.unknownHost(export);
    }
    if (!answer.equals(MountMain.DONE)) {
      throw MountFailure.of(errno(answer), export);
    }
  }

  private String mount(NfsExport export, Path point, String options, Deadline end)
      throws IOException, InterruptedException {
    return child.run(
        end.remaining(),
        MountMain.MOUNT,
        export.server(),
        export.source(),
        point.toString(),
        options,
        clientId);
  }

  /** Later closes leave their mounts to the next agent. */
  void agentEnds() {
    agentEnds = true;
  }

  private void release(Path point) {
    Shared shared = all.computeIfAbsent(point, _ -> new Shared());
    shared.lock.lock();
    try {
      shared.uses--;
      if (shared.uses == 0 && !agentEnds) {
        unmountCompletely(point);
      }
    } finally {
      shared.lock.unlock();
    }
  }

  /** Frees the mount point at once, and removes the directory; a failure is only logged. */
  private void unmountCompletely(Path point) {
    try {
      if (MountTable.read().at(point).isPresent()) {
        String answer = child.run(deadline, MountMain.UNMOUNT, point.toString(), "true");
        LOG.info("Unmounting {}: {}", point, text(answer));
      }
      if (MountTable.read().at(point).isEmpty()) {
        Files.deleteIfExists(point);
      }
    } catch (IOException e) {
      LOG.warn("{} is left behind; run umount -l {} as root", point, point, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String text(String answer) {
    return errno(answer) == 0 ? answer : Errno.textOf(errno(answer));
  }

  /** 0 for an answer without an error number. */
  private static int errno(String answer) {
    return answer.startsWith(MountMain.FAILED)
        ? Integer.parseInt(answer.substring(MountMain.FAILED.length()))
        : 0;
  }
}
