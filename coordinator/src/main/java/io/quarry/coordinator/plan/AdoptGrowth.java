package io.quarry.coordinator.plan;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Disks whose files have grown: their machines did it, and no agent has told the log so far. A disk
 * that is still open may grow further.
 *
 * @param sizes by the volume that was looked at, in bytes: a disk may have gone on in another one
 */
public record AdoptGrowth(Map<String, Long> sizes) implements Request {
  public AdoptGrowth(@Nullable Map<String, Long> sizes) {
    this.sizes = Checked.numbers("sizes", sizes);
    this.sizes.keySet().forEach(id -> Checked.volume("volumeId", id));
  }

  @Override
  public Reply plan(Transaction transaction) {
    new TreeMap<>(sizes)
        .forEach((id, size) -> {
          Volume volume = transaction.state().volumes().get(id);
          Image disk = volume == null ? null : transaction.state().visibleImage(volume.imageId());
          Open writer = disk == null ? null : transaction.state().writerOf(disk.id());
          // An upload fills a volume of the size that it was begun with.
          boolean uploaded = writer != null && writer.fills() != null;
          if (disk != null && disk.volumeId().equals(id) && !uploaded) {
            transaction.grow(disk.id(), size);
            transaction.settle(disk.id());
          }
        });
    return transaction.reply(this, "disks");
  }

  /** No end of an open, and no start of a machine, waits for space. */
  @Override
  public boolean freesSpace() {
    return true;
  }
}
