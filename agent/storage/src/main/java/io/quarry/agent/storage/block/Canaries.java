package io.quarry.agent.storage.block;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * The canaries of SDMs: a text of each host with a slot, in a block of the slot. A paused and
 * deposed SDM does not overwrite its successor's canary.
 */
public final class Canaries {
  private static final String MAGIC = "QCANARY1";

  private final BlockDevice device;
  private final Layout layout;
  private final Key key;
  private final HostSlot host;
  private final int slots;

  /**
   * @param ringBytes the length of a slot's ring
   * @param slots how many slots hosts may have
   */
  public Canaries(BlockDevice device, long ringBytes, String key, HostSlot host, int slots) {
    this.device = device;
    this.layout = Layout.ofRing(ringBytes);
    this.key = new Key(key);
    this.host = host;
    this.slots = slots;
  }

  /** Writes this host's canary, durably. */
  public void write(byte[] text) throws IOException {
    OptionalInt slot = host.slot();
    if (slot.isEmpty()) {
      throw new IOException(device.name() + ": this host has no slot in the log yet");
    }
    if (text.length > Sealed.CONTENT_BYTES - Integer.BYTES) {
      throw new IOException("a canary of " + text.length + " bytes is too long");
    }
    device.write(
        layout.canary(slot.getAsInt()),
        Sealed.seal(MAGIC, key, buffer -> buffer.putInt(text.length).put(text)));
  }

  /** A canary that is damaged is none: a host that died must not keep the others from theirs. */
  public List<byte[]> read() throws IOException {
    byte[] bytes = new byte[Math.toIntExact(layout.canary(slots) - layout.canary(0))];
    device.read(layout.canary(0), bytes);
    List<byte[]> texts = new ArrayList<>();
    for (int slot = 0; slot < slots; slot++) {
      try {
        int offset = Math.toIntExact(layout.canary(slot) - layout.canary(0));
        ByteBuffer buffer = Sealed.open(bytes, offset, MAGIC, key);
        if (buffer != null) {
          byte[] text = new byte[buffer.getInt()];
          buffer.get(text);
          texts.add(text);
        }
      } catch (Sealed.BrokenException e) {
        // Another host writes it now, or died meanwhile.
      }
    }
    return texts;
  }
}
