package io.quarry.agent.storage.block;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntSupplier;

/** What leaders note about the newest record that they have acknowledged. Hints, not forced. */
final class HeadNotes {
  private static final String MAGIC = "QHEAD001";

  private final BlockDevice device;
  private final Layout layout;
  private final Key key;
  private final IntSupplier slots;

  /**
   * @param ballot with which the record was committed; 0 when another host has committed it
   */
  record Note(long sequence, long ballot) {
    /** Whether the note proves that the frame is a record. */
    boolean proves(Frame frame) {
      return ballot == frame.ballot() && sequence >= frame.sequence();
    }
  }

  HeadNotes(BlockDevice device, Layout layout, Key key, IntSupplier slots) {
    this.device = device;
    this.layout = layout;
    this.key = key;
    this.slots = slots;
  }

  void write(int slot, Note note) throws IOException {
    byte[] block =
        Sealed.seal(MAGIC, key, buffer -> buffer.putLong(note.sequence()).putLong(note.ballot()));
    device.writeUnforced(layout.note(slot), block);
  }

  List<Note> read() throws IOException {
    int count = slots.getAsInt();
    byte[] bytes = new byte[Math.toIntExact(layout.note(count) - layout.note(0))];
    device.read(layout.note(0), bytes);
    List<Note> notes = new ArrayList<>();
    for (int slot = 0; slot < count; slot++) {
      try {
        int offset = Math.toIntExact(layout.note(slot) - layout.note(0));
        ByteBuffer buffer = Sealed.open(bytes, offset, MAGIC, key);
        if (buffer != null) {
          notes.add(new Note(buffer.getLong(), buffer.getLong()));
        }
      } catch (Sealed.BrokenException e) {
        // A hint that is damaged is no hint.
      }
    }
    return notes;
  }
}
