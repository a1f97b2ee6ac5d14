package io.quarry.coordinator.plan;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Disks that nobody has open any more, and whose files have grown: their machines did it, and their
 * hosts died before anybody closed the disks.
 *
 * @param sizes by disk, in bytes
 */
public record AdoptGrowth(Map<String, Long> sizes) implements Request {
  public AdoptGrowth(@Nullable Map<String, Long> sizes) {
    this.sizes = Checked.numbers("sizes", sizes);
    this.sizes.keySet().forEach(id -> Checked.name("imageId", id));
  }

  @Override
  public Reply plan(Draft draft) {
    new TreeMap<>(sizes)
        .forEach((id, size) -> {
          if (draft.state().writerOf(id) == null) {
            draft.grow(id, size);
            draft.settle(id);
          }
        });
    return draft.reply(this, "disks");
  }
}
