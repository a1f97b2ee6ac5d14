package io.quarry.agent.storage.block;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.coordinator.plan.Allocation;
import io.quarry.coordinator.plan.Extents;
import io.quarry.coordinator.plan.HostBoot;
import io.quarry.coordinator.plan.Mapping;
import io.quarry.coordinator.plan.Run;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps this host's devices within what the log allows. A device is made only by a mapping of this
 * boot that a committed state shows. The device is removed before the host says so, and is not made
 * again by a mapping whose end the host has told, however late that message arrives.
 *
 * <p>The kernel keeps devices over the end of an agent. What an earlier agent has told about ends
 * is unknown to the next agent. So the next agent makes new devices only by mappings that are newer
 * than its own start.
 */
public final class MapTable {
  private static final Logger LOG = LoggerFactory.getLogger(MapTable.class);

  private final String hostId;
  private final HostBoot boot;
  private final Devices devices;
  private final long start;
  private final Map<String, Entry> entries = new ConcurrentHashMap<>();

  /** Older views count no more: what they would need to know is forgotten. */
  private final AtomicLong oldestView;

  /**
   * A committed state of the repository.
   *
   * @param commit its number
   */
  public record View(Extents extents, long commit) {}

  /** What the table knows of a file. Its monitor guards the file's device. */
  private static final class Entry {
    /** The mapping by which the device was made; 0 when an earlier agent made it. */
    private long made;

    /** The newest mapping whose end this host has told or may have told. */
    private long told;

    private boolean forgotten;

    private Entry(long start) {
      told = start;
    }
  }

  /**
   * @param boot in which this host runs
   * @param start the newest commit, read after all earlier agents of this host had ended
   */
  public MapTable(String hostId, HostBoot boot, Devices devices, long start) {
    this.hostId = hostId;
    this.boot = boot;
    this.devices = devices;
    this.start = start;
    this.oldestView = new AtomicLong(start);
  }

  /** A step with the device of one file, alone. */
  private interface Step<T> {
    T run(Entry entry) throws IOException;
  }

  private <T> T alone(String file, Step<T> step) throws IOException {
    while (true) {
      Entry entry = entries.computeIfAbsent(file, name -> new Entry(start));
      synchronized (entry) {
        if (!entry.forgotten) {
          return step.run(entry);
        }
      }
    }
  }

  /**
   * Makes the device of a file with all extents that the view shows, or gives it more extents.
   *
   * @return false when the view does not allow the device: a caller then asks the log for a mapping
   */
  public boolean make(View view, String file, boolean readOnly) throws IOException {
    return alone(
        file, entry -> view.commit() >= oldestView.get() && make(view, file, readOnly, entry));
  }

  private boolean make(View view, String file, boolean readOnly, Entry entry) throws IOException {
    Mapping mapping = ownMapping(view, file);
    Allocation allocation = view.extents().allocation(file);
    if (mapping == null || allocation == null) {
      return false;
    }
    List<Run> there = devices.runs(file);
    if (there != null && mapping.since() < entry.made) {
      // The device was made by a newer view.
      return true;
    }
    if (there != null && !allocation.beginsWith(there)) {
      removeStale(file);
      there = null;
    }
    if (there == null && mapping.since() <= entry.told) {
      return false;
    }
    // Even a failure may leave the device with all of these extents.
    entry.made = mapping.since();
    devices.make(file, allocation.runs(), readOnly);
    return true;
  }

  /** A program that has such a device open would write into the file's new extents. */
  private void removeStale(String file) throws IOException {
    if (part(file, "the file has other extents")) {
      throw FileFailure.refused(
          Path.of(file), "map", "a program on this host still uses its former extents");
    }
  }

  /** Changes what programs may do that open the device later. */
  public boolean setReadOnly(String file, boolean readOnly) throws IOException {
    return alone(file, entry -> devices.setReadOnly(file, readOnly));
  }

  private @Nullable Mapping ownMapping(View view, String file) {
    Mapping mapping = view.extents().mapping(file, hostId);
    return mapping != null && mapping.boot().equals(boot) ? mapping : null;
  }

  /**
   * Removes devices that this host needs no more. Files that a program still has open keep theirs.
   *
   * @param unused asked again while nobody else can make or remove the file's device
   * @return the ends that the host may tell now, as in {@link
   *     io.quarry.coordinator.plan.UnmapFiles}; they include mappings of earlier boots
   */
  public Map<String, Long> remove(View view, Collection<String> files, Predicate<String> unused)
      throws IOException {
    Map<String, Long> ended = new TreeMap<>();
    for (String file : files) {
      Mapping mapping = view.extents().mapping(file, hostId);
      if (mapping != null && alone(file, entry -> unused.test(file) && ends(mapping, entry))) {
        ended.put(file, mapping.since());
      }
    }
    return ended;
  }

  private boolean ends(Mapping mapping, Entry entry) throws IOException {
    boolean own = mapping.boot().equals(boot);
    if (mapping.since() < entry.made || !(own || boot.ends(mapping.boot()))) {
      return false;
    }
    if (!devices.remove(mapping.file())) {
      return false;
    }
    entry.told = Math.max(entry.told, mapping.since());
    return true;
  }

  /**
   * Removes the devices that the log does not allow: an administrator has fenced this host. A
   * device that a program has open is parted from its extents, which may be another file's by now.
   *
   * @return the files whose devices were parted
   */
  public List<String> reconcile(View view) throws IOException {
    oldestView.accumulateAndGet(view.commit(), Math::max);
    Set<String> known = new HashSet<>(entries.keySet());
    known.addAll(devices.files());
    List<String> parted = new ArrayList<>();
    for (String file : known) {
      try {
        if (alone(file, entry -> reconcile(view, file, entry))) {
          parted.add(file);
        }
      } catch (IOException e) {
        // The other devices must not wait for this one.
        LOG.error("The device of {} cannot be compared with the log: {}", file, e.getMessage());
      }
    }
    return parted;
  }

  private boolean reconcile(View view, String file, Entry entry) throws IOException {
    if (entry.made > view.commit()) {
      return false;
    }
    Mapping mapping = ownMapping(view, file);
    Allocation allocation = mapping == null ? null : view.extents().allocation(file);
    List<Run> there = devices.runs(file);
    boolean allowed = there == null || (allocation != null && allocation.beginsWith(there));
    if (mapping == null) {
      entries.remove(file);
      entry.forgotten = true;
    }
    return !allowed && part(file, "the log does not allow it");
  }

  /** Removes a device, or leaves one that leads nowhere: then true. */
  private boolean part(String file, String why) throws IOException {
    if (devices.remove(file)) {
      return false;
    }
    List<Run> there = devices.runs(file);
    if (there != null && !there.isEmpty()) {
      LOG.error("The device of {} is cut off from its data: {}", file, why);
      devices.cutOff(file);
    }
    return true;
  }
}
