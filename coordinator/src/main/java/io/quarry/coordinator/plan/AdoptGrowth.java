package io.quarry.coordinator.plan;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Records that files of disks have grown. Their VMs grew them, and no agent has told the log so
 * far. A disk that is still open may grow further.
 *
 * @param sizes in bytes, by the volume that a host looked at: the disk may use another volume by
 *     now
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
          // An upload fills a volume of the size that the upload began with.
          boolean uploaded = writer != null && writer.fills() != null;
          if (disk != null && disk.volumeId().equals(id) && !uploaded) {
            transaction.grow(disk.id(), size);
            transaction.settle(disk.id());
          }
        });
    return transaction.reply(this, "disks");
  }

  /** No close and no start of a VM waits for space. */
  @Override
  public boolean freesSpace() {
    return true;
  }
}
