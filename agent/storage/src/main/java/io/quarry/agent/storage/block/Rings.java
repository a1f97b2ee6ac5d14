package io.quarry.agent.storage.block;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Reads on in the rings of all slots. Each frame is found once. */
final class Rings {
  private final BlockDevice device;
  private final Layout layout;
  private final Key key;

  /** Where to read on, by slot and by the segment's beginning. */
  private final Map<Integer, Map<Long, Long>> cursors = new HashMap<>();

  Rings(BlockDevice device, Layout layout, Key key) {
    this.device = device;
    this.layout = layout;
    this.key = key;
  }

  /**
   * @param pastDamage whether to look behind a frame that cannot be read, as far as the host may
   *     have written
   */
  void readOn(Cells cells, boolean pastDamage, Consumer<Frame> found) throws IOException {
    for (Cell cell : cells.all().toList()) {
      readOn(cell, pastDamage, found);
    }
  }

  /**
   * Reads to the end of each segment. A write without an answer may land late at the end of a
   * segment that the host has left, so those ends are looked at again.
   */
  private void readOn(Cell cell, boolean pastDamage, Consumer<Frame> found) throws IOException {
    Map<Long, Long> before = cursors.getOrDefault(cell.slot(), Map.of());
    Map<Long, Long> after = new HashMap<>();
    List<Long> segments = cell.segments();
    for (int i = 0; i < segments.size(); i++) {
      long begin = segments.get(i);
      long limit = i + 1 < segments.size() ? segments.get(i + 1) : cell.reach();
      long at = reached(before, begin, limit);
      Frame frame = next(cell.slot(), at, limit, pastDamage);
      while (frame != null) {
        found.accept(frame);
        at = frame.end();
        frame = next(cell.slot(), at, limit, pastDamage);
      }
      after.put(begin, at);
    }
    cursors.put(cell.slot(), after);
  }

  /** A segment may begin later than before, when its first frames are not needed any more. */
  private static long reached(Map<Long, Long> cursors, long begin, long limit) {
    return cursors.entrySet().stream()
        .filter(each -> each.getKey() <= begin && each.getValue() <= limit)
        .mapToLong(Map.Entry::getValue)
        .filter(at -> at >= begin)
        .max()
        .orElse(begin);
  }

  /**
   * A frame may come while this host looks, and another one behind it. Frames come in order: after
   * one that is not at the place itself, a second look finds all before it.
   */
  private @Nullable Frame next(int slot, long at, long limit, boolean pastDamage)
      throws IOException {
    Frame frame = first(slot, at, limit, pastDamage);
    return frame == null || frame.position() == at ? frame : first(slot, at, limit, pastDamage);
  }

  /** A frame that does not fit before the end of the ring is at the ring's beginning. */
  private @Nullable Frame first(int slot, long at, long limit, boolean pastDamage)
      throws IOException {
    Frame frame = at < limit ? Frame.at(device, layout, key, slot, at) : null;
    long round = layout.nextRound(at);
    if (frame == null && round < limit && round - at < layout.frameBytesMax()) {
      frame = Frame.at(device, layout, key, slot, round);
    }
    for (long far = at + Layout.BLOCK;
        pastDamage && frame == null && far < limit;
        far += Layout.BLOCK) {
      frame = Frame.at(device, layout, key, slot, far);
    }
    return frame;
  }
}
