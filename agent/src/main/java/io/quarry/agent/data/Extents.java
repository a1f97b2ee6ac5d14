package io.quarry.agent.data;

import io.quarry.agent.data.Extent.Kind;
import java.util.ArrayList;
import java.util.List;

/** Collects neighbouring extents into the fewest that say the same. */
final class Extents {
  private final List<Extent> merged = new ArrayList<>();

  void add(long offset, long length, Kind kind) {
    if (length == 0) {
      return;
    }
    if (!merged.isEmpty()) {
      Extent last = merged.getLast();
      if (last.end() != offset) {
        throw new IllegalArgumentException("extent at " + offset + " after " + last);
      }
      if (last.kind() == kind) {
        merged.set(merged.size() - 1, new Extent(last.offset(), last.length() + length, kind));
        return;
      }
    }
    merged.add(new Extent(offset, length, kind));
  }

  List<Extent> list() {
    return List.copyOf(merged);
  }
}
