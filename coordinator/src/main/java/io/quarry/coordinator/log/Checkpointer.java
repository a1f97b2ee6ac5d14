package io.quarry.coordinator.log;

import java.io.IOException;
import java.util.Comparator;
import java.util.List;

/**
 * Shortens the replay: writes a checkpoint of a committed state, and then frees the names it
 * covers. Names are freed in ascending order and the record that the checkpoint ends with is kept:
 * {@link CommitLog} relies on both. A paused SDM that wakes up and does this late does no harm.
 */
public final class Checkpointer {
  private final SlotStore store;

  public Checkpointer(SlotStore store) {
    this.store = store;
  }

  /** Returns the size of the checkpoint in bytes. */
  public long checkpoint(LogState state) throws IOException {
    byte[] bytes = Codec.encode(state).bytes();
    store.putIfAbsent(Names.checkpoint(state.sequence()), bytes);
    vacuum();
    return bytes.length;
  }

  /** Number of the last record that a checkpoint covers; 0 when there is none. */
  public long covered() throws IOException {
    return Math.max(0, LogReader.newestCheckpoint(store.list()));
  }

  /**
   * Frees what the newest checkpoint covers. The names to free are listed after the checkpoint was
   * seen: a listing may miss names that came to be while it was made, and freeing a name while the
   * one before it stays would mislead {@link CommitLog}.
   */
  void vacuum() throws IOException {
    long newest = LogReader.newestCheckpoint(store.list());
    List<String> covered =
        store.list().stream()
            .filter(name -> covered(name, newest))
            .sorted(Comparator.comparingLong(Checkpointer::numberOf))
            .toList();
    store.delete(covered);
  }

  private static boolean covered(String name, long newest) {
    return numberOf(name) != Names.NONE && numberOf(name) < newest;
  }

  private static long numberOf(String name) {
    return Math.max(Names.recordNumber(name), Names.checkpointNumber(name));
  }
}
