package io.quarry.coordinator.log;

import java.io.IOException;
import java.util.Comparator;
import java.util.List;

/**
 * Shortens the replay: writes a checkpoint of a committed state, reads it back, and then frees the
 * names before the checkpoint before it. So there are two ways to read the log, and one spoilt file
 * loses nothing. Names are freed in ascending order and the record that a checkpoint ends with is
 * kept: {@link CommitLog} relies on both. A paused SDM that wakes up and does this late does no
 * harm.
 */
public final class Checkpointer {
  /** Checkpoints that were seen to be whole; what is before the oldest of them is freed. */
  private static final int KEPT = 2;

  private final SlotStore store;

  public Checkpointer(SlotStore store) {
    this.store = store;
  }

  /**
   * Returns the size of the checkpoint in bytes.
   *
   * @throws LogDamagedException when it does not read back as it should; nothing was freed then
   */
  public long checkpoint(LogState state) throws IOException {
    byte[] bytes = Codec.encode(state).bytes();
    store.putIfAbsent(Names.checkpoint(state.sequence()), bytes);
    readBack(state);
    vacuum();
    return bytes.length;
  }

  /** Number of the last record that a checkpoint covers; 0 when there is none. */
  public long covered() throws IOException {
    return Math.max(0, LogReader.newestCheckpoint(store.list()));
  }

  /** Whether readers can begin with the newest checkpoint. */
  public boolean sound() throws IOException {
    return whole(LogReader.newestCheckpoint(store.list()));
  }

  /** What comes back has to be readable, stand at the same place, and hold as many things. */
  private void readBack(LogState state) throws IOException {
    String name = Names.checkpoint(state.sequence());
    byte[] bytes = store.read(name);
    if (bytes == null) {
      // A newer checkpoint covers it by now.
      return;
    }
    LogState found = Codec.checkpoint(state.sequence(), bytes, store.describe(name));
    if (!found.position().equals(state.position())
        || found.repository().asChanges().size() != state.repository().asChanges().size()) {
      throw new LogDamagedException(store.describe(name), "it holds another state");
    }
  }

  /**
   * Frees what the oldest checkpoint that is kept covers. The names to free are listed after that
   * one was seen: a listing may miss names that came to be while it was made, and freeing a name
   * while the one before it stays would mislead {@link CommitLog}.
   */
  void vacuum() throws IOException {
    long oldest = oldestKept();
    List<String> covered =
        store.list().stream()
            .filter(name -> numberOf(name) != Names.NONE && numberOf(name) < oldest)
            .sorted(Comparator.comparingLong(Checkpointer::numberOf))
            .toList();
    store.delete(covered);
  }

  /** {@link Names#NONE} when there are too few to free anything. */
  private long oldestKept() throws IOException {
    int whole = 0;
    for (long sequence : LogReader.checkpoints(store.list())) {
      whole += whole(sequence) ? 1 : 0;
      if (whole == KEPT) {
        return sequence;
      }
    }
    return Names.NONE;
  }

  private boolean whole(long sequence) throws IOException {
    String name = Names.checkpoint(sequence);
    byte[] bytes = sequence == Names.NONE ? null : store.read(name);
    return bytes != null && Codec.isWholeCheckpoint(sequence, bytes, store.describe(name));
  }

  private static long numberOf(String name) {
    return Math.max(Names.recordNumber(name), Names.checkpointNumber(name));
  }
}
