package io.quarry.agent.storage.block;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The cell of this host's slot. A write goes to the block that is not the newest. A block whose
 * write got no answer is not written again in this life: that write may land later.
 */
final class OwnCell {
  private static final int BLOCKS = 2;

  private final BlockDevice device;
  private final Layout layout;
  private final Key key;

  /** The count whose write got no answer, by block; 0 for none. */
  private final long[] spent = new long[BLOCKS];

  private Cell cell;
  private int newest;

  /** The highest count that this life has tried to write. */
  private long tried;

  /** What to write next. */
  @FunctionalInterface
  interface Change {
    /**
     * @param cell the newest one, which may be the one of a write without an answer
     */
    Cell of(Cell cell) throws IOException;
  }

  /**
   * @param cell as it was when this life began
   */
  OwnCell(BlockDevice device, Layout layout, Key key, Cell cell) throws IOException {
    this.device = device;
    this.layout = layout;
    this.key = key;
    this.cell = cell;
    this.tried = cell.count();
    look();
  }

  int slot() {
    return cell.slot();
  }

  /** The newest cell, as far as this host knows. */
  Cell get() {
    return cell;
  }

  /**
   * Changes the cell durably.
   *
   * @throws IOException when the outcome is unknown, or when another host uses the slot
   */
  void write(Change change) throws IOException {
    look();
    int block = spent[1 - newest] == 0 ? 1 - newest : newest;
    if (spent[block] != 0) {
      throw new IOException(
          where() + ": no block of the cell can be written; restart the agent on this host");
    }
    Cell next = change.of(cell).counted(tried + 1);
    tried++;
    spent[block] = tried;
    device.write(offset(block), next.encode(key));
    spent[block] = 0;
    cell = next;
    newest = block;
  }

  /** A cell that another host has written means that two hosts have the slot: one is a clone. */
  void look() throws IOException {
    byte[] bytes = new byte[BLOCKS * Layout.BLOCK];
    device.read(layout.cell(cell.slot()), bytes);
    Cell first = block(bytes, 0);
    Cell second = block(bytes, 1);
    Cell found = Cell.newer(first, second);
    if (found == null && cell.count() == 0) {
      return;
    }
    if (found == null
        || !found.host().equals(cell.host())
        || found.count() > tried
        || found.count() < cell.count()) {
      throw new IOException(
          where()
              + ": another host uses the slot, too; give this host a state directory of its own");
    }
    // A write without an answer may have landed, and then does not land again.
    forgive(0, first);
    forgive(1, second);
    cell = found;
    newest = found.equals(first) ? 0 : 1;
  }

  private void forgive(int block, @Nullable Cell there) {
    if (there != null && there.count() == spent[block]) {
      spent[block] = 0;
    }
  }

  private @Nullable Cell block(byte[] bytes, int which) throws IOException {
    try {
      return Cell.decode(bytes, which * Layout.BLOCK, key, cell.slot());
    } catch (Sealed.BrokenException e) {
      throw new IOException(where() + ": " + e.getMessage(), e);
    }
  }

  private long offset(int block) {
    return layout.cell(cell.slot()) + (long) block * Layout.BLOCK;
  }

  String where() {
    return device.name() + ", slot " + cell.slot();
  }
}
