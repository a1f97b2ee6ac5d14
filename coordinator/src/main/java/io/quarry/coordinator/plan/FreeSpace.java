package io.quarry.coordinator.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.pcollections.TreePMap;
import org.pcollections.TreePSet;

/**
 * The extents that no file has. Immutable; an update costs O(log n).
 *
 * @param byFirst runs by their first extent; no two are neighbours
 * @param bySize the same runs, the smallest first
 */
record FreeSpace(TreePMap<Long, Run> byFirst, TreePSet<Run> bySize, long count) {
  private static final Comparator<Run> SMALLEST_FIRST =
      Comparator.comparingLong(Run::count).thenComparingLong(Run::first);

  static final FreeSpace NONE = new FreeSpace(TreePMap.empty(), TreePSet.empty(SMALLEST_FIRST), 0);

  /** Frees a run. */
  FreeSpace plus(Run freed) {
    Map.Entry<Long, Run> below = byFirst.lowerEntry(freed.end());
    if (below != null && below.getValue().end() > freed.first()) {
      throw new IllegalStateException(freed + " is freed, and " + below.getValue() + " is free");
    }
    Run before = below != null && below.getValue().end() == freed.first() ? below.getValue() : null;
    Run after = byFirst.get(freed.end());
    FreeSpace rest = this;
    long first = freed.first();
    long end = freed.end();
    if (before != null) {
      rest = rest.without(before);
      first = before.first();
    }
    if (after != null) {
      rest = rest.without(after);
      end = after.end();
    }
    return rest.with(new Run(first, end - first));
  }

  /** Takes a run. */
  FreeSpace minus(Run taken) {
    Map.Entry<Long, Run> entry = byFirst.floorEntry(taken.first());
    if (entry == null || entry.getValue().end() < taken.end()) {
      throw new IllegalStateException(taken + " is not free");
    }
    Run from = entry.getValue();
    FreeSpace rest = without(from);
    if (from.first() < taken.first()) {
      rest = rest.with(from.start(taken.first() - from.first()));
    }
    if (taken.end() < from.end()) {
      rest = rest.with(new Run(taken.end(), from.end() - taken.end()));
    }
    return rest;
  }

  /**
   * Free extents for a file: behind its last ones, else from the smallest run that has them all,
   * else from the largest runs.
   *
   * @param wanted at most {@link #count}
   * @param behind the extent behind the file's last one; null for a new file
   */
  List<Run> fit(long wanted, @Nullable Long behind) {
    Run next = behind == null ? null : byFirst.get(behind);
    if (next != null && next.count() >= wanted) {
      return List.of(next.start(wanted));
    }
    Run smallest = bySize.ceiling(new Run(0, wanted));
    if (smallest != null) {
      return List.of(smallest.start(wanted));
    }
    List<Run> parts = new ArrayList<>();
    long missing = wanted;
    for (Run largest : bySize.descendingSet()) {
      Run part = largest.start(Math.min(missing, largest.count()));
      parts.add(part);
      missing -= part.count();
      if (missing == 0) {
        return parts;
      }
    }
    throw new IllegalArgumentException(wanted + " extents are wanted, and " + count + " are free");
  }

  private FreeSpace with(Run run) {
    return new FreeSpace(byFirst.plus(run.first(), run), bySize.plus(run), count + run.count());
  }

  private FreeSpace without(Run run) {
    return new FreeSpace(byFirst.minus(run.first()), bySize.minus(run), count - run.count());
  }
}
