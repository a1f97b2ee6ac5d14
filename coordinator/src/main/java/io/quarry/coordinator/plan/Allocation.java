package io.quarry.coordinator.plan;

import java.util.ArrayList;
import java.util.List;

/**
 * The extents of one file of a volume, in the order of the file's bytes. They only grow at the end.
 *
 * @param file as in {@link VolumeName}
 */
public record Allocation(String file, List<Run> runs) {
  public Allocation {
    runs = List.copyOf(runs);
  }

  public long extents() {
    return runs.stream().mapToLong(Run::count).sum();
  }

  /** Whether these are the file's first extents, as a device that was not grown since has them. */
  public boolean beginsWith(List<Run> first) {
    for (int i = 0; i < first.size(); i++) {
      Run has = first.get(i);
      Run wanted = i < runs.size() ? runs.get(i) : null;
      boolean last = i == first.size() - 1;
      if (wanted == null
          || has.first() != wanted.first()
          || (last ? has.count() > wanted.count() : has.count() != wanted.count())) {
        return false;
      }
    }
    return !first.isEmpty();
  }

  /** The file with more extents; neighbours become one run. */
  Allocation plus(List<Run> more) {
    List<Run> all = new ArrayList<>(runs);
    for (Run run : more) {
      Run last = all.isEmpty() ? null : all.getLast();
      if (last != null && last.end() == run.first()) {
        all.set(all.size() - 1, last.start(last.count() + run.count()));
      } else {
        all.add(run);
      }
    }
    return new Allocation(file, all);
  }
}
