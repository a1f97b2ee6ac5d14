package io.quarry.coordinator.log;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Replays a log, whole or from a position on. Any number of readers, on any host. */
public final class LogReader {
  /** How often a reader starts over because checkpoints overtake it. */
  private static final int OVERTAKEN_MAX = 100;

  /**
   * How often a missing record is looked for before it counts as lost: a shared filesystem's view
   * of a directory may be behind that of the head.
   */
  private static final int MISSING_LOOKS = 5;

  private static final long MISSING_PAUSE_MILLIS = 100;

  private final SlotStore store;

  public LogReader(SlotStore store) {
    this.store = store;
  }

  /** Checkpoint, then tail, then make sure that the checkpoint is still the newest. */
  public LogState load() throws IOException {
    for (int round = 0; round < OVERTAKEN_MAX; round++) {
      OptionalLong head = store.readHead();
      long newest = newestCheckpoint(store.list());
      LogState base = newest == Names.NONE ? LogState.EMPTY : readCheckpoint(newest);
      if (base == null) {
        continue;
      }
      try {
        LogState state = tail(base, head.orElse(0));
        if (newestCheckpoint(store.list()) == newest) {
          return state;
        }
      } catch (LogDamagedException e) {
        if (newestCheckpoint(store.list()) == newest) {
          throw e;
        }
      }
    }
    throw new IOException("checkpoints kept overtaking the reader of " + store.describe(""));
  }

  /** The state after everything committed since; the same one when nothing was. */
  public LogState catchUp(LogState from) throws IOException {
    OptionalLong head = store.readHead();
    LogState state;
    try {
      state = tail(from, head.orElse(0));
    } catch (LogDamagedException e) {
      if (overtaken(from)) {
        return load();
      }
      throw e;
    }
    return overtaken(from) ? load() : state;
  }

  /** Whether names after the position may have been freed, and so may hold anything. */
  private boolean overtaken(LogState from) throws IOException {
    return newestCheckpoint(store.list()) > from.sequence();
  }

  /** Reads on to the end, and makes sure that it is the end. */
  private LogState tail(LogState from, long head) throws IOException {
    LogState state = from;
    for (int look = 0; look < MISSING_LOOKS; look++) {
      state = readOn(state);
      long last = Math.max(head, lastRecord(store.list()));
      if (last <= state.sequence()) {
        return state;
      }
      LogState more = readOn(state);
      if (more.sequence() == state.sequence()) {
        pause();
      }
      state = more;
    }
    String missing = Names.record(state.sequence() + 1);
    throw new LogDamagedException(
        store.describe(missing), "it is missing, though later records were committed");
  }

  private LogState readOn(LogState from) throws IOException {
    LogState state = from;
    while (true) {
      String name = Names.record(state.sequence() + 1);
      byte[] bytes = store.read(name);
      if (bytes == null) {
        return state;
      }
      state = Codec.follow(state, bytes, store.describe(name));
    }
  }

  /** Null when a newer one has replaced it meanwhile. */
  private @Nullable LogState readCheckpoint(long sequence) throws IOException {
    String name = Names.checkpoint(sequence);
    byte[] bytes = store.read(name);
    return bytes == null ? null : Codec.checkpoint(sequence, bytes, store.describe(name));
  }

  static long newestCheckpoint(List<String> names) {
    return names.stream().mapToLong(Names::checkpointNumber).max().orElse(Names.NONE);
  }

  private static long lastRecord(List<String> names) {
    return names.stream().mapToLong(Names::recordNumber).max().orElse(Names.NONE);
  }

  /** The records from a position on, that a new SDM builds upon. */
  static List<String> recordsAfter(List<String> names, long sequence) {
    List<String> after = new ArrayList<>();
    for (String name : names) {
      if (Names.recordNumber(name) > sequence) {
        after.add(name);
      }
    }
    return after;
  }

  private static void pause() throws IOException {
    try {
      Thread.sleep(MISSING_PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while reading the log", e);
    }
  }
}
