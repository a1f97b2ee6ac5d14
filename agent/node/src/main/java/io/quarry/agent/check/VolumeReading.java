package io.quarry.agent.check;

import io.quarry.agent.data.Extent;
import io.quarry.agent.data.RawFileSource;
import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.process.ToolFailure;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.data.qemu.ImageCheck;
import io.quarry.agent.data.qemu.QemuImg;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.Problem;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads one volume's file. The reading tells whether a qcow2 file is consistent, and whether every
 * stored byte can be read. A volume that is open for writing is left out, since its file changes
 * all the time. The reading repairs no file.
 */
final class VolumeReading {
  /** Enough for the metadata of a terabyte, unless the storage is slow. */
  private static final Duration METADATA_MAX = Duration.ofSeconds(30);

  private static final int CHUNK_BYTES = 1 << 20;

  private static final int SAID_CHARS_MAX = 120;

  /** The length of each stretch of extents that a reading asks for. */
  private static final long STRETCH_BYTES = 1L << 30;

  private final ConnectedRepository repository;
  private final Neighbours neighbours;
  private final Volume volume;
  private final String name;
  private final List<Problem> problems;
  private final @Nullable Long contentCommit;

  VolumeReading(
      ConnectedRepository repository,
      Neighbours neighbours,
      Volume volume,
      List<Problem> problems) {
    this.repository = repository;
    this.neighbours = neighbours;
    this.volume = volume;
    this.name = String.valueOf(volume.file());
    this.problems = problems;
    this.contentCommit = contentCommit(repository.state().repository());
  }

  /** The commit that last let a VM write to the volume, if an image owns the volume. */
  private @Nullable Long contentCommit(RepositoryState state) {
    Image image = state.images().get(volume.imageId());
    return image == null ? null : image.contentCommit();
  }

  /**
   * @param end no data of the volume is left to read
   * @param offset up to which the volume was read
   * @param of the length of the file
   */
  record Reached(boolean end, long offset, long of) {
    static final Reached END = new Reached(true, 0, 0);
  }

  /** Reads from the offset on until the time is over. */
  Reached from(long offset, long endNanos) throws IOException, InterruptedException {
    String user = writer(repository.state().repository());
    if (user != null) {
      report(Problem.Kind.NOT_READ, user, "check again when it is closed");
      return Reached.END;
    }
    try {
      Chain.Layer file = repository.storage().volumes().layer(name, volume.format()).requireFile();
      if (offset == 0) {
        look(file);
      }
      return read(file, offset, endNanos);
    } catch (FileFailure.NotFound e) {
      // A check that is not deep reports this file.
      return Reached.END;
    } catch (FileFailure.Forbidden e) {
      // The reading cannot tell whether the file is damaged.
      report(Problem.Kind.NOT_READ, String.valueOf(e.getMessage()), e.remedy());
      return Reached.END;
    } catch (IOException e) {
      suspect(Problem.Kind.DAMAGED_VOLUME, "its file cannot be read: " + e.getMessage());
      return Reached.END;
    }
  }

  /** The writer of the volume, in words; null when there is none. */
  private @Nullable String writer(RepositoryState state) {
    Volume now = state.volumes().get(volume.id());
    if (now != null && now.writer() != null) {
      return "it is in use: a merge writes down into it on " + now.writer().worker().hostId();
    }
    for (String id : state.opensUsing(volume.id())) {
      Open open = state.opens().get(id);
      if (open != null && !open.readOnly() && open.volumes().getFirst().equals(volume.id())) {
        return "it is in use: "
            + (open.owner() == null ? "an unnamed user" : open.owner())
            + " writes to it on "
            + open.hostId();
      }
    }
    return null;
  }

  private boolean isVisible() {
    return repository.state().repository().visibleImage(volume.imageId()) != null;
  }

  private void look(Chain.Layer file) throws IOException, InterruptedException {
    if (volume.format() == VolumeFormat.RAW) {
      long length;
      try (NativeFile open = file.open()) {
        length = open.size();
      }
      // A merge that stopped may have enlarged the volume of a removed image.
      if (length > volume.size() && isVisible()) {
        suspect(
            Problem.Kind.DAMAGED_VOLUME,
            "its file has " + length + " bytes, more than its " + volume.size());
      }
      return;
    }
    try {
      QemuImg qemu = new QemuImg(neighbours.children("check:" + volume.id()));
      FaultPoints.reach("check.looking");
      ImageCheck found = qemu.check(file, METADATA_MAX);
      FaultPoints.reach("check.looked");
      if (!found.isSound()) {
        suspect(
            Problem.Kind.DAMAGED_VOLUME,
            "qemu-img check finds " + found.corruptions() + " errors in its file");
      } else if (!found.isClean()) {
        suspect(
            Problem.Kind.LEAKED_SPACE,
            found.leakedClusters() + " clusters of its file are used by nothing");
      }
    } catch (ToolFailure e) {
      boolean locked = e.stderrTail().contains("another process using the image");
      boolean unknown = locked || e.killed() || e.exitCode().isEmpty();
      suspect(
          unknown ? Problem.Kind.NOT_READ : Problem.Kind.DAMAGED_VOLUME,
          "qemu-img check " + (unknown ? "could not look at its file" : "fails") + end(e));
    }
  }

  /** A tool may report the same error for many clusters; its last words count. */
  private static String end(ToolFailure failure) {
    String said = String.valueOf(failure.getMessage()).strip().replace('\n', ' ');
    return ": " + said.substring(Math.max(0, said.length() - SAID_CHARS_MAX));
  }

  private Reached read(Chain.Layer file, long offset, long endNanos)
      throws IOException, InterruptedException {
    try (RawFileSource source = RawFileSource.of(file.open());
        Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(CHUNK_BYTES, NativeFile.DIRECT_ALIGNMENT);
      for (long at = offset; at < source.size(); at += STRETCH_BYTES) {
        long length = Math.min(STRETCH_BYTES, source.size() - at);
        for (Extent extent : source.extents(at, length)) {
          if (extent.kind() == Extent.Kind.ZERO) {
            continue;
          }
          for (long done = 0; done < extent.length(); done += CHUNK_BYTES) {
            long from = extent.offset() + done;
            if (endNanos - System.nanoTime() < 0) {
              return new Reached(false, from, source.size());
            }
            long bytes = Math.min(CHUNK_BYTES, extent.length() - done);
            var _ = neighbours.throttle().acquire(bytes, () -> false);
            source.read(from, buffer.asSlice(0, bytes));
          }
        }
      }
    }
    return Reached.END;
  }

  /** Reports no volume that was opened for writing, merged into or removed meanwhile. */
  private void suspect(Problem.Kind kind, String reason) throws IOException {
    RepositoryState now = repository.replica().refresh().repository();
    if (!volume.equals(now.volumes().get(volume.id()))) {
      return;
    }
    String user = writer(now);
    if (user != null) {
      report(Problem.Kind.NOT_READ, user, "check again when it is closed");
      return;
    }
    if (!Objects.equals(contentCommit, contentCommit(now))) {
      report(Problem.Kind.NOT_READ, "it was open to write while it was read", "check again");
      return;
    }
    report(kind, reason, remedy(kind));
  }

  private static String remedy(Problem.Kind kind) {
    return switch (kind) {
      case LEAKED_SPACE -> "nothing has to be done: it does no harm, and a copy does not have it";
      case NOT_READ -> "check again when the storage has less to do";
      default ->
          "bring the file back from a backup of the storage, or remove the image and copy it again"
              + " from a repository where it is whole";
    };
  }

  private void report(Problem.Kind kind, String reason, String remedy) {
    problems.add(new Problem(kind, volume.imageId(), name, reason, remedy));
  }
}
