package io.quarry.coordinator.plan;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.pcollections.TreePMap;

/**
 * Which file has which extents of a device, and which hosts may have them mapped. Immutable. Each
 * update keeps the two rules on which all data rests: an extent has one file at most, and a file
 * keeps its extents as long as a host may have it mapped.
 */
public final class Extents {
  static final Extents NONE = new Extents(null, TreePMap.empty(), FreeSpace.NONE, Mappings.NONE);

  /** The character behind the dot that ends a volume's id in the names of the volume's files. */
  private static final String DOT = ".";

  private static final String BEHIND_DOT = "/";

  private final @Nullable Pool pool;
  private final TreePMap<String, Allocation> allocations;
  private final FreeSpace free;
  private final Mappings mappings;

  private Extents(
      @Nullable Pool pool,
      TreePMap<String, Allocation> allocations,
      FreeSpace free,
      Mappings mappings) {
    this.pool = pool;
    this.allocations = allocations;
    this.free = free;
    this.mappings = mappings;
  }

  /** Null when the repository's volumes are files of a filesystem. */
  public @Nullable Pool pool() {
    return pool;
  }

  /** The estimated memory. */
  long bytes() {
    return StateSize.of(allocations.size(), mappings.count());
  }

  public long freeExtents() {
    return free.count();
  }

  /** All files with extents, in the order of their names. */
  public Collection<Allocation> allocations() {
    return allocations.values();
  }

  public @Nullable Allocation allocation(String file) {
    return allocations.get(file);
  }

  /** The files of all epochs of a volume that have extents. */
  public List<Allocation> ofVolume(String volumeId) {
    return List.copyOf(allocations.subMap(volumeId + DOT, volumeId + BEHIND_DOT).values());
  }

  public @Nullable Mapping mapping(String file, String hostId) {
    return mappings.of(file, hostId);
  }

  /** The hosts that may have a file mapped. */
  public Collection<Mapping> mappingsOf(String file) {
    return mappings.of(file);
  }

  /** The files that a host may have mapped, each with {@link Mapping#since}. */
  public Map<String, Long> mappingsBy(String hostId) {
    Map<String, Long> all = new TreeMap<>();
    for (String file : mappings.filesOf(hostId)) {
      Mapping mapping = mappings.of(file, hostId);
      if (mapping != null) {
        all.put(file, mapping.since());
      }
    }
    return all;
  }

  /** The extents that a file would get next; empty when too few are free. */
  List<Run> fit(long wanted, @Nullable Allocation file) {
    if (wanted > free.count()) {
      return List.of();
    }
    return free.fit(wanted, file == null ? null : file.runs().getLast().end());
  }

  Extents plus(Pool larger) {
    long known = pool == null ? 0 : pool.extents();
    if (pool != null && (larger.extentBytes() != pool.extentBytes() || larger.extents() < known)) {
      throw new IllegalStateException(pool + " cannot become " + larger);
    }
    FreeSpace grown =
        larger.extents() == known ? free : free.plus(new Run(known, larger.extents() - known));
    return new Extents(larger, allocations, grown, mappings);
  }

  Extents plus(Allocation allocation) {
    Allocation before = allocations.get(allocation.file());
    List<Run> added = before == null ? allocation.runs() : added(before, allocation);
    FreeSpace left = free;
    for (Run run : added) {
      left = left.minus(run);
    }
    return new Extents(pool, allocations.plus(allocation.file(), allocation), left, mappings);
  }

  /** What a file has got; its bytes stay where they are. */
  private static List<Run> added(Allocation before, Allocation after) {
    List<Run> added = new ArrayList<>();
    for (int i = 0; i < after.runs().size(); i++) {
      Run now = after.runs().get(i);
      Run then = i < before.runs().size() ? before.runs().get(i) : null;
      boolean mayGrow = i == before.runs().size() - 1;
      if (then == null) {
        added.add(now);
      } else if (then.first() == now.first() && mayGrow && now.count() > then.count()) {
        added.add(new Run(then.end(), now.count() - then.count()));
      } else if (!then.equals(now)) {
        throw new IllegalStateException(before + " cannot become " + after);
      }
    }
    if (after.runs().size() < before.runs().size()) {
      throw new IllegalStateException(before + " cannot become " + after);
    }
    return added;
  }

  Extents minusAllocation(String file) {
    Allocation allocation = allocations.get(file);
    if (allocation == null) {
      return this;
    }
    if (!mappings.of(file).isEmpty()) {
      throw new IllegalStateException(
          file + " is to lose its extents, and has mappings: " + mappings.of(file));
    }
    FreeSpace more = free;
    for (Run run : allocation.runs()) {
      more = more.plus(run);
    }
    return new Extents(pool, allocations.minus(file), more, mappings);
  }

  Extents plus(Mapping mapping) {
    if (!allocations.containsKey(mapping.file())) {
      throw new IllegalStateException(mapping + " has no extents");
    }
    return new Extents(pool, allocations, free, mappings.plus(mapping));
  }

  Extents minusMapping(String file, String hostId) {
    return new Extents(pool, allocations, free, mappings.minus(file, hostId));
  }

  /** The changes that make these extents out of none. */
  List<Change> asChanges() {
    List<Change> all = new ArrayList<>();
    if (pool != null) {
      all.add(new Change.PutPool(pool));
    }
    allocations.values().forEach(each -> all.add(new Change.PutAllocation(each)));
    allocations
        .keySet()
        .forEach(
            file -> mappings.of(file).forEach(mapping -> all.add(new Change.PutMapping(mapping))));
    return all;
  }
}
