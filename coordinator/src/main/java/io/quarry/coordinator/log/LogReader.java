package io.quarry.coordinator.log;

import java.io.IOException;
import java.util.Arrays;
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
  private final Pause pause;

  /** Gives a shared filesystem's view of a directory a moment to catch up. */
  @FunctionalInterface
  interface Pause {
    void take() throws IOException;
  }

  /** What follows a state, and the newest checkpoint that was there after the last read of it. */
  private record Tail(LogState state, long checkpoint) {}

  public LogReader(SlotStore store) {
    this(store, LogReader::sleep);
  }

  LogReader(SlotStore store, Pause pause) {
    this.store = store;
    this.pause = pause;
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
        Tail tail = tail(base, head.orElse(0));
        if (tail.checkpoint() == newest) {
          return tail.state();
        }
      } catch (LogDamagedException e) {
        if (newestCheckpoint(store.list()) == newest) {
          throw e;
        }
      }
    }
    throw new IOException("checkpoints kept overtaking the reader of " + store.describe(""));
  }

  /**
   * The state after everything committed since, as far as the head knows; the same one when nothing
   * was. Costs no listing when the head is right.
   */
  public LogState catchUp(LogState from) throws IOException {
    OptionalLong head = store.readHead();
    if (from.sequence() > 0 && head.isPresent()) {
      try {
        LogState state = readOn(from);
        if (head.getAsLong() <= state.sequence() && stillThere(from.position())) {
          return state;
        }
      } catch (LogDamagedException e) {
        // It may be a record in a freed name: the listing tells.
      }
    }
    return catchUpListing(from);
  }

  /** As catchUp, but the head may be wrong: what is missing before later records is found. */
  LogState catchUpListing(LogState from) throws IOException {
    OptionalLong head = store.readHead();
    try {
      Tail tail = tail(from, head.orElse(0));
      return overtaken(from, tail.checkpoint()) ? load() : tail.state();
    } catch (LogDamagedException e) {
      if (overtaken(from, newestCheckpoint(store.list()))) {
        return load();
      }
      throw e;
    }
  }

  /**
   * Names are freed in ascending order: while this record is there, none after it has been freed,
   * and whatever was read after it is true. It saves the listing of a long log.
   */
  private boolean stillThere(Position position) throws IOException {
    byte[] expected = Codec.recordHeader(position.sequence(), position.hash());
    byte[] found = store.readStart(Names.record(position.sequence()), expected.length);
    return Arrays.equals(expected, found);
  }

  /** Whether names after the position may have been freed, and so may hold anything. */
  private static boolean overtaken(LogState from, long checkpoint) {
    return checkpoint > from.sequence();
  }

  /**
   * Reads on to where the end was when it looked, and makes sure that nothing is missing before it.
   * Stops early when it was overtaken.
   */
  private Tail tail(LogState from, long head) throws IOException {
    LogState state = readOn(from);
    List<String> names = store.list();
    long end = Math.max(head, lastRecord(names));
    int looks = 0;
    while (state.sequence() < end && !overtaken(from, newestCheckpoint(names))) {
      LogState more = readOn(state);
      if (more.sequence() == state.sequence()) {
        if (++looks == MISSING_LOOKS) {
          String missing = store.describe(Names.record(state.sequence() + 1));
          throw new LogDamagedException(
              missing, "it is missing, though later records were committed");
        }
        pause.take();
      }
      state = more;
      names = store.list();
    }
    return new Tail(state, newestCheckpoint(names));
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

  private static void sleep() throws IOException {
    try {
      Thread.sleep(MISSING_PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while reading the log", e);
    }
  }
}
