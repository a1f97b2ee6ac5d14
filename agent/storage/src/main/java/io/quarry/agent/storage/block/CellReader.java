package io.quarry.agent.storage.block;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads the cells of all slots at once. A block that is neither void nor whole is read again, and
 * then is an error: to take the block for empty would forget a promise.
 */
final class CellReader {
  private static final int TRIES = 5;

  private final BlockDevice device;
  private final Layout layout;
  private final Key key;
  private final IntSupplier slots;

  /** The count that was read last, by slot: a cell never goes back. */
  private final long[] counts = new long[Layout.SLOTS];

  /**
   * @param slots how many slots hosts may have
   */
  CellReader(BlockDevice device, Layout layout, Key key, IntSupplier slots) {
    this.device = device;
    this.layout = layout;
    this.key = key;
    this.slots = slots;
  }

  Cells read() throws IOException {
    int count = slots.getAsInt();
    byte[] bytes = new byte[Math.toIntExact(layout.cell(count) - layout.cell(0))];
    device.read(layout.cell(0), bytes);
    List<@Nullable Cell> cells = new ArrayList<>();
    for (int slot = 0; slot < count; slot++) {
      cells.add(cell(slot, bytes, Math.toIntExact(layout.cell(slot) - layout.cell(0))));
    }
    return new Cells(cells);
  }

  /** One slot's cell, or null when no host has ever had the slot. */
  @Nullable Cell read(int slot) throws IOException {
    byte[] bytes = new byte[2 * Layout.BLOCK];
    device.read(layout.cell(slot), bytes);
    return cell(slot, bytes, 0);
  }

  private @Nullable Cell cell(int slot, byte[] bytes, int offset) throws IOException {
    Cell first = block(slot, 0, bytes, offset);
    Cell second = block(slot, 1, bytes, offset + Layout.BLOCK);
    Cell newest = Cell.newer(first, second);
    long count = newest == null ? 0 : newest.count();
    synchronized (counts) {
      if (count < counts[slot]) {
        throw new IOException(
            where(slot, 0)
                + ": the cell has gone back from write "
                + counts[slot]
                + " to "
                + count);
      }
      counts[slot] = count;
    }
    return newest;
  }

  private @Nullable Cell block(int slot, int which, byte[] bytes, int offset) throws IOException {
    byte[] block = bytes;
    int at = offset;
    for (int i = 0; i < TRIES; i++) {
      try {
        return Cell.decode(block, at, key, slot);
      } catch (Sealed.BrokenException e) {
        block = new byte[Layout.BLOCK];
        at = 0;
        device.read(layout.cell(slot) + (long) which * Layout.BLOCK, block);
      }
    }
    throw new IOException(where(slot, which) + ": the cell cannot be verified");
  }

  private String where(int slot, int which) {
    return device.name()
        + ", slot "
        + slot
        + ", byte "
        + (layout.cell(slot) + (long) which * Layout.BLOCK);
  }
}
