package io.quarry.coordinator.log;

import java.io.IOException;
import java.io.InputStream;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

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

  /** What comes back has to be readable, stand at the same place, and hold as many things. */
  private void readBack(LogState state) throws IOException {
    String name = Names.checkpoint(state.sequence());
    try (InputStream in = store.open(name)) {
      // Without it, a newer checkpoint covers it by now.
      if (in != null
          && !CheckpointCodec.summary(state.sequence(), in, store.describe(name))
              .equals(CheckpointCodec.Summary.of(state))) {
        throw new LogDamagedException(store.describe(name), "it holds another state");
      }
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
    try (InputStream in = store.open(Names.checkpoint(sequence))) {
      return in != null && CheckpointCodec.whole(sequence, in);
    }
  }

  private static long numberOf(String name) {
    return Math.max(Names.recordNumber(name), Names.checkpointNumber(name));
  }
}
