package io.quarry.agent.storage.block;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What one process knows of a device, and how it learns more. */
record Machine(
    BlockDevice device,
    Layout layout,
    Key key,
    CellReader cells,
    Rings rings,
    Records records,
    HeadNotes notes) {
  private static final int TRIES = 100;

  /**
   * Frames and cells that belong together. The cells were read last.
   *
   * @param pastDamage whether to look behind frames that cannot be read
   */
  Cells readOn(boolean pastDamage) throws IOException {
    for (int i = 0; i < TRIES; i++) {
      Cells used = cells.read();
      rings.readOn(used, pastDamage, records::add);
      Cells after = cells.read();
      if (after.samePlaces(used)) {
        records.cover(after);
        return after;
      }
    }
    throw new IOException(device.name() + ": the cells keep changing");
  }

  /**
   * Takes over what is decided for certain. Records up to the newest checkpoint that cannot be read
   * are covered by that checkpoint.
   *
   * @return the frame after it, which may be a record; null when there is none
   */
  @Nullable Frame settle(Cells read) {
    Frame next = records.settle();
    if (lacksCovered(read)) {
      records.jump(read.checkpoints().getFirst().area());
      next = records.settle();
    }
    return next;
  }

  /** Whether records are missing: something was read too early, or is damaged. */
  boolean lacks(Cells read) {
    Frame next = records.settle();
    return records.hasGap(next) || lacksCovered(read);
  }

  private boolean lacksCovered(Cells read) {
    List<Cells.Named> checkpoints = read.checkpoints();
    return !checkpoints.isEmpty() && checkpoints.getFirst().area().sequence() > records.last();
  }

  /** The record in a frame or in another frame that holds the same; null when none is there. */
  byte @Nullable [] record(Frame frame) throws IOException {
    for (Frame copy : records.copies(frame)) {
      byte[] record = copy.record(device, layout);
      if (record != null) {
        return record;
      }
    }
    return null;
  }

  String name(long sequence) {
    return device.name() + ", record " + sequence;
  }
}
