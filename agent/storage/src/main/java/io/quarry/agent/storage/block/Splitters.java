package io.quarry.agent.storage.block;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Gives a slot to one host at most, by plain reads and writes (Lamport's splitter, in blocks X and
 * Y). A host that is alone always wins. Hosts that compete may waste slots.
 */
final class Splitters {
  private static final String MAGIC = "QSPLIT01";

  private final BlockDevice device;
  private final Layout layout;
  private final Key key;

  /** Slots at whose splitters a write of this process got no answer, and may land later. */
  private final Set<Integer> burnt = new HashSet<>();

  Splitters(BlockDevice device, Layout layout, Key key) {
    this.device = device;
    this.layout = layout;
    this.key = key;
  }

  /**
   * Wins one of the first slots.
   *
   * @throws IOException when the storage fails, or when no slot is left
   */
  int win(Key host, int slots) throws IOException {
    for (int slot = 0; slot < slots; slot++) {
      if (!burnt.contains(slot) && wins(host, slot)) {
        return slot;
      }
    }
    throw new IOException(device.name() + ": all " + slots + " slots of hosts are taken");
  }

  private boolean wins(Key host, int slot) throws IOException {
    long first = layout.splitter(slot);
    long second = first + Layout.BLOCK;
    Key closer = read(second);
    if (closer != null) {
      // The host may have won before, and not have kept that.
      return closer.equals(host) && host.equals(read(first));
    }
    burnt.add(slot);
    write(first, host);
    if (read(second) != null) {
      return false;
    }
    write(second, host);
    burnt.remove(slot);
    return host.equals(read(first));
  }

  private void write(long offset, Key host) throws IOException {
    device.write(offset, Sealed.seal(MAGIC, key, buffer -> buffer.put(host.bytes())));
  }

  private @Nullable Key read(long offset) throws IOException {
    byte[] block = new byte[Layout.BLOCK];
    device.read(offset, block);
    try {
      ByteBuffer buffer = Sealed.open(block, 0, MAGIC, key);
      if (buffer == null) {
        return null;
      }
      byte[] host = new byte[Key.BYTES];
      buffer.get(host);
      return Key.of(host);
    } catch (Sealed.BrokenException e) {
      throw new IOException(device.name() + ", byte " + offset + ": " + e.getMessage(), e);
    }
  }
}
