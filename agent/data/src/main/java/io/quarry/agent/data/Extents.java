package io.quarry.agent.data;

import java.util.ArrayList;
import java.util.List;

/** Collects neighbouring extents and merges those with the same meaning. */
final class Extents {
  private final List<Extent> merged = new ArrayList<>();

  void add(Extent next) {
    if (!merged.isEmpty() && merged.getLast().isContinuedBy(next)) {
      Extent last = merged.removeLast();
      merged.add(
          new Extent(last.offset(), last.length() + next.length(), last.kind(), last.place()));
    } else {
      merged.add(next);
    }
  }

  List<Extent> list() {
    return List.copyOf(merged);
  }
}
