package io.quarry.coordinator.log;

import java.io.IOException;
import java.io.InputStream;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Shortens the replay. Writes a checkpoint of a committed state and reads it back. Then frees the
 * names that the checkpoint before it covers. So a log can be read in two ways, and one damaged
 * file loses nothing. Names are freed in ascending order, and the last record that a checkpoint
 * covers is kept: {@link CommitLog} relies on both. A paused SDM may do all this late without harm.
 */
public final class Checkpointer {
  /** Checkpoints that were read back whole; names before the oldest of them are freed. */
  private static final int KEPT = 2;

  private final SlotStore store;

  public Checkpointer(SlotStore store) {
    this.store = store;
  }

  /**
   * Returns the size of the checkpoint in bytes.
   *
   * @throws LogDamagedException when the checkpoint does not read back; nothing was freed then
   */
  public long checkpoint(LogState state) throws IOException {
    AtomicLong bytes = new AtomicLong();
    store.putIfAbsent(
        Names.checkpoint(state.sequence()), out -> bytes.set(CheckpointCodec.write(state, out)));
    readBack(state);
    vacuum();
    return bytes.get();
  }

  /** Number of the last record that a checkpoint covers; 0 when there is none. */
  public long covered() throws IOException {
    return Math.max(0, LogReader.newestCheckpoint(store.list()));
  }

  /** Whether readers can begin with the newest checkpoint. */
  public boolean sound() throws IOException {
    long newest = LogReader.newestCheckpoint(store.list());
    return newest != Names.NONE && whole(newest);
  }

  /**
   * The checkpoint must be readable, stand at the same position, and hold the same number of
   * entities.
   */
  private void readBack(LogState state) throws IOException {
    String name = Names.checkpoint(state.sequence());
    try (InputStream in = store.open(name)) {
      // If the checkpoint is gone, a newer one covers it.
      if (in != null
          && !CheckpointCodec.summary(state.sequence(), in, store.describe(name))
              .equals(CheckpointCodec.Summary.of(state))) {
        throw new LogDamagedException(store.describe(name), "it holds another state");
      }
    }
  }

  /**
   * Frees the names that the oldest kept checkpoint covers. Listing comes after that checkpoint was
   * read. A listing may miss names that appear while it runs. Freeing a name while the one before
   * it stays would mislead {@link CommitLog}.
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
    try (InputStream in = store.open(Names.checkpoint(sequence))) {
      return in != null && CheckpointCodec.whole(sequence, in);
    }
  }

  private static long numberOf(String name) {
    return Math.max(Names.recordNumber(name), Names.checkpointNumber(name));
  }
}
