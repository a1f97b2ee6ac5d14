package io.quarry.it.blocks;

import io.quarry.agent.storage.block.BlockDevice;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A device that does what a device must not do, so that a judge has something to find. */
final class FlawedDevice implements BlockDevice {
  private static final long CELLS = 1L << 20;
  private static final int CELL_BYTES = 8 << 10;
  private static final long RINGS = 64L << 20;

  private final BlockDevice device;
  private final Flaw flaw;
  private byte @Nullable [] cells;
  private boolean frameWritten;

  enum Flaw {
    NONE,
    /** After a frame was written, the cells are still those from before. */
    NO_LOOK_AFTER_A_FRAME,
    /** Writes and forces return before the bytes are durable. */
    NEVER_FORCES
  }

  FlawedDevice(BlockDevice device, Flaw flaw) {
    this.device = device;
    this.flaw = flaw;
  }

  @Override
  public long size() throws IOException {
    return device.size();
  }

  @Override
  public void read(long offset, byte[] into) throws IOException {
    boolean all = offset == CELLS && into.length > CELL_BYTES;
    byte[] before = cells;
    if (all && frameWritten && flaw == Flaw.NO_LOOK_AFTER_A_FRAME && before != null) {
      System.arraycopy(before, 0, into, 0, into.length);
    } else {
      device.read(offset, into);
    }
    if (all) {
      cells = into.clone();
      frameWritten = false;
    }
  }

  @Override
  public void write(long offset, byte[] from) throws IOException {
    if (flaw == Flaw.NEVER_FORCES) {
      device.writeUnforced(offset, from);
    } else {
      device.write(offset, from);
    }
    frameWritten |= offset >= RINGS;
  }

  @Override
  public void writeUnforced(long offset, byte[] from) throws IOException {
    device.writeUnforced(offset, from);
  }

  @Override
  public void force() throws IOException {
    if (flaw != Flaw.NEVER_FORCES) {
      device.force();
    }
  }

  @Override
  public String name() {
    return device.name();
  }

  @Override
  public void close() {
    device.close();
  }
}
