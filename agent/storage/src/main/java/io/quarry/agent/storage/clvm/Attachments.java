package io.quarry.agent.storage.clvm;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.qemu.EmptyQcow2;
import io.quarry.agent.storage.VolumeLog;
import io.quarry.agent.storage.block.Devices;
import io.quarry.agent.storage.block.MapTable;
import io.quarry.agent.storage.block.MapTable.View;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.Allocation;
import io.quarry.coordinator.plan.Extents;
import io.quarry.coordinator.plan.FreeExtents;
import io.quarry.coordinator.plan.HostBoot;
import io.quarry.coordinator.plan.MapFiles;
import io.quarry.coordinator.plan.Mapping;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.Pin;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.ReserveExtents;
import io.quarry.coordinator.plan.UnmapFiles;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.VolumeName;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of volumes that this host reaches. A file gets its device when a caller needs it, and
 * keeps the device as long as an open or a pin of the log needs the file, a program has the device
 * open, or a caller has asked for it a moment ago.
 */
final class Attachments {
  private static final Logger LOG = LoggerFactory.getLogger(Attachments.class);

  /** The mappings whose ends one record tells. */
  private static final int ENDS_MAX = 500;

  /** A program opens the device within this time after the caller has got the path. */
  static final Duration IDLE = Duration.ofSeconds(30);

  private final VolumeLog log;
  private final String hostId;
  private final HostBoot boot;
  private final Devices devices;
  private final MapTable table;
  private final Duration idle;

  /** When a caller asked for a file last, by {@link System#nanoTime}. */
  private final Map<String, Long> asked = new ConcurrentHashMap<>();

  /**
   * @param boot in which this host runs
   * @param idle how long a device stays that nobody needs
   */
  Attachments(VolumeLog log, String hostId, HostBoot boot, Devices devices, Duration idle)
      throws IOException {
    this.idle = idle;
    this.log = log;
    this.hostId = hostId;
    this.boot = boot;
    this.devices = devices;
    this.table = new MapTable(hostId, boot, devices, log.refresh().sequence());
  }

  private static View view(LogState state) {
    return new View(state.repository().extents(), state.sequence());
  }

  Extents extents() {
    return log.state().repository().extents();
  }

  /** The extents of a file; null when no file has the name. */
  @Nullable Allocation find(String file) throws IOException {
    Allocation known = extents().allocation(file);
    return known == null ? log.refresh().repository().extents().allocation(file) : known;
  }

  /** Reserves extents for a new file, and makes its device. */
  Path create(String file, long bytes) throws IOException {
    if (find(file) != null) {
      throw FileFailure.exists(devices.path(file), "create");
    }
    reserve(file, bytes);
    return devices.path(file);
  }

  /** Gives a file extents for so many bytes, unless it has them, and makes its device. */
  void reserve(String file, long bytes) throws IOException {
    touch(file);
    LogState reserved =
        commit(file, "reserve extents", new ReserveExtents(file, hostId, boot, bytes));
    require(reserved, file);
  }

  /** The path by which programs open the file's device, which is there afterwards. */
  Path reach(String file) throws IOException {
    touch(file);
    if (find(file) == null) {
      throw FileFailure.notFound(devices.path(file), "open");
    }
    if (!make(log.state(), file)) {
      require(commit(file, "map", new MapFiles(hostId, boot, List.of(file))), file);
    }
    return devices.path(file);
  }

  private void touch(String file) {
    asked.put(file, System.nanoTime());
  }

  private void require(LogState allowed, String file) throws IOException {
    if (!make(allowed, file) && !make(log.refresh(), file)) {
      throw FileFailure.refused(
          devices.path(file), "map", "the log has ended this host's mapping at once");
    }
  }

  private boolean make(LogState seen, String file) throws IOException {
    return table.make(view(seen), file, !mayWrite(seen.repository(), file));
  }

  /** The most bytes that a qcow2 file of the volume takes. */
  long bytesMax(String file) {
    VolumeName name = VolumeName.parse(file);
    Volume volume = name == null ? null : log.state().repository().volumes().get(name.volumeId());
    return volume == null ? Long.MAX_VALUE : EmptyQcow2.bytesMax(volume.size());
  }

  /** Whether this host may write to the file, as the log says it. */
  boolean mayWrite(RepositoryState state, String file) {
    VolumeName name = VolumeName.parse(file);
    Volume volume = name == null ? null : state.volumes().get(name.volumeId());
    if (volume == null) {
      return false;
    }
    if (volume.writer() != null) {
      return volume.writer().worker().hostId().equals(hostId);
    }
    return !volume.isFrozen(state);
  }

  /** False when the device has that mode, or when there is no device. */
  boolean setReadOnly(String file, boolean readOnly) throws IOException {
    return table.setReadOnly(file, readOnly);
  }

  /** Whether a program may use the file: one of this host, or one of a host that has it mapped. */
  boolean mayBeInUse(String file) throws IOException {
    for (Mapping mapping : log.refresh().repository().extents().mappingsOf(file)) {
      if (!mapping.hostId().equals(hostId)) {
        return true;
      }
    }
    return devices.isOpen(file);
  }

  /** Ends the mapping of this host, and frees the extents unless another host may have them. */
  boolean remove(String file) throws IOException {
    if (find(file) == null) {
      return false;
    }
    unmap(log.state(), List.of(file), each -> true);
    try {
      var _ = log.commit(new FreeExtents(file));
    } catch (StorageException e) {
      if (e.code() != ErrorCode.IMAGE_IN_USE) {
        throw translated(file, "free extents", e);
      }
      // The clean of the volume waits for the host; check finds the files of lost epochs.
      LOG.debug("{} keeps its extents for now: {}", file, e.getMessage());
    }
    return true;
  }

  /**
   * @param unused asked again right before a device goes
   */
  private void unmap(LogState seen, List<String> files, Predicate<String> unused)
      throws IOException {
    for (int from = 0; from < files.size(); from += ENDS_MAX) {
      List<String> some = files.subList(from, Math.min(files.size(), from + ENDS_MAX));
      Map<String, Long> ended = table.remove(view(seen), some, unused);
      if (!ended.isEmpty()) {
        commit("the mappings of host " + hostId, "end", new UnmapFiles(hostId, boot, ended));
      }
    }
  }

  /** Brings devices and mappings of this host in line with what is needed; call each second. */
  void tend() throws IOException {
    LogState seen = log.state();
    for (String file : table.reconcile(view(seen))) {
      LOG.error("A program on this host still has {} open, although the host was fenced", file);
    }
    RepositoryState state = seen.repository();
    Set<String> needed = needed(state);
    List<String> idle = new ArrayList<>();
    for (String file : state.extents().mappingsBy(hostId).keySet()) {
      if (isOfEarlierBoot(state, file) || (!needed.contains(file) && isIdle(file))) {
        idle.add(file);
      }
    }
    unmap(seen, idle, file -> isOfEarlierBoot(state, file) || isIdle(file));
    asked.keySet().removeIf(this::isIdle);
  }

  /** Ends the mappings of this host, but for those of files that a program has open. */
  void leave() throws IOException {
    LogState seen = log.refresh();
    List<String> all = List.copyOf(seen.repository().extents().mappingsBy(hostId).keySet());
    unmap(seen, all, file -> true);
  }

  /** The device went with its kernel. A caller waits until the log knows that. */
  private boolean isOfEarlierBoot(RepositoryState state, String file) {
    Mapping mapping = state.extents().mapping(file, hostId);
    return mapping != null && !mapping.boot().equals(boot);
  }

  private boolean isIdle(String file) {
    Long at = asked.get(file);
    return at == null || System.nanoTime() - at >= idle.toNanos();
  }

  /** The files that the log keeps for users on this host. */
  private Set<String> needed(RepositoryState state) {
    Set<String> files = new HashSet<>();
    for (Open open : state.opens().values()) {
      if (open.user().hostId().equals(hostId) && isOfThisBoot(open)) {
        addFiles(state, open.volumes(), files);
      }
    }
    for (Pin pin : state.pins().values()) {
      addFiles(state, pin.volumes(), files);
    }
    return files;
  }

  private boolean isOfThisBoot(Open open) {
    HostBoot opened = open.user().boot();
    return opened == null || opened.equals(boot);
  }

  private static void addFiles(RepositoryState state, List<String> volumes, Set<String> files) {
    for (String id : volumes) {
      Volume volume = state.volumes().get(id);
      if (volume != null && volume.file() != null) {
        files.add(volume.file());
      }
    }
  }

  private LogState commit(String subject, String operation, Request request) throws IOException {
    try {
      return log.commit(request);
    } catch (StorageException e) {
      throw translated(subject, operation, e);
    }
  }

  /** Refusals in the kernel's terms, as the callers of files know them. */
  private IOException translated(String file, String operation, StorageException refusal) {
    Path path = devices.path(file);
    return switch (refusal.code()) {
      case NO_SPACE -> FileFailure.noSpace(path, operation);
      case FIX_STALE -> FileFailure.notFound(path, operation);
      default -> new IOException(path + ": " + operation + ": " + refusal.getMessage(), refusal);
    };
  }
}
