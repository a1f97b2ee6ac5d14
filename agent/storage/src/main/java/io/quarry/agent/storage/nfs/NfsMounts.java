package io.quarry.agent.storage.nfs;

import io.quarry.agent.data.os.Errno;
import io.quarry.agent.data.os.Mount;
import io.quarry.agent.data.os.MountTable;
import io.quarry.agent.data.os.Processes;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.storage.directory.DirectoryConnection;
import io.quarry.agent.storage.directory.SafeMount;
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
  private final Map<Path, MountPoint> all = new ConcurrentHashMap<>();
  private volatile boolean agentEnds;

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

  /** A mount in use, by one connection. */
  final class Use {
    private final MountPoint point;
    private final Path path;
    private final AtomicBoolean closed = new AtomicBoolean();

    private Use(MountPoint point, Path path) {
      this.point = point;
      this.path = path;
    }

    Path path() {
      return path;
    }

    /** Only the first call counts. */
    void end(MountPoint.End end) {
      if (closed.compareAndSet(false, true)) {
        point.leave(agentEnds ? MountPoint.End.AGENT_ENDS : end);
      }
    }
  }

  /** Mounts the export, or finds the export mounted. */
  Use mount(NfsExport export) {
    try {
      Path path = realDirectory().resolve(export.mountPoint());
      MountPoint point = all.computeIfAbsent(path, _ -> new MountPoint(path, child, deadline));
      point.enter(() -> ensureMounted(export, path, point));
      return new Use(point, path);
    } catch (IOException e) {
      throw DirectoryConnection.unusable(
          directory.resolve(export.mountPoint()),
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
    }
  }

  /** The directory of the mount points as the kernel lists it, without links. */
  private Path realDirectory() throws IOException {
    makeDirectory(directory);
    return directory.toRealPath();
  }

  private MountPoint.Origin ensureMounted(NfsExport export, Path path, MountPoint point)
      throws IOException, InterruptedException {
    Optional<Mount> found = MountTable.read().at(path);
    if (found.isPresent()) {
      if (found.get().source().equals(export.source())) {
        SafeMount.require(found.get(), path);
        LOG.info("{} is mounted at {} already", export.source(), path);
        return MountPoint.Origin.FOUND;
      }
      requireUnmounted(path, found.get());
    }
    makeDirectory(path);
    removeLeftovers(realDirectory());
    try {
      mount(export, path);
      Optional<Mount> made = MountTable.read().at(path);
      SafeMount.require(
          made.orElseThrow(() -> new IOException("the kernel does not list the mount")), path);
      LOG.info("{} is mounted at {}", export.source(), path);
      return MountPoint.Origin.MADE;
    } catch (IOException | InterruptedException | RuntimeException e) {
      // A child that was killed or gave up may have mounted just before.
      point.unmount(true);
      throw e;
    }
  }

  /** Another mount has the place. Processes that use the mount keep it. */
  private void requireUnmounted(Path point, Mount other) throws IOException, InterruptedException {
    String answer = child.run(deadline, MountMain.UNMOUNT, point.toString(), "false");
    if (!answer.equals(MountMain.DONE)) {
      throw DirectoryConnection.unusable(
          point,
          other.source()
              + " is mounted at "
              + point
              + " and cannot be unmounted: "
              + MountChild.text(answer),
          "end the processes that use it (fuser -m " + point + "), and run umount " + point);
    }
  }

  private static void makeDirectory(Path path) throws IOException {
    try {
      Files.createDirectory(path);
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(SEARCHABLE));
    } catch (FileAlreadyExistsException e) {
      LOG.debug("{} is there already", path);
    }
  }

  /** Earlier agents may have left mount points at which nothing is mounted any more. */
  private void removeLeftovers(Path place) throws IOException {
    MountTable mounted = MountTable.read();
    try (DirectoryStream<Path> points = Files.newDirectoryStream(place)) {
      for (Path each : points) {
        if (mounted.at(each).isEmpty()) {
          // A mount point that this agent uses is in the map before the agent makes it.
          all.compute(each, (_, point) -> point == null ? removed(each) : point);
        }
      }
    }
  }

  private static @Nullable MountPoint removed(Path point) {
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
      if (Errno.of(MountChild.errno(answer)) != Errno.EPROTONOSUPPORT) {
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
      throw MountFailure.of(MountChild.errno(answer), export, Processes.mayMount());
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
}
