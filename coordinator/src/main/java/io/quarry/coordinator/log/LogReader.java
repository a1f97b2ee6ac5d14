package io.quarry.coordinator.log;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Replays a log, whole or from a position on. Any number of readers, on any host. */
public final class LogReader {
  private static final Logger LOG = LoggerFactory.getLogger(LogReader.class);

  /** How often a reader starts again because checkpoints overtake it. */
  private static final int OVERTAKEN_MAX = 100;

  /**
   * How often a reader looks for a missing record before the record counts as lost: a shared
   * filesystem's view of a directory may be behind that of the head.
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

  /** The state that a replay begins with, and a name that is freed before any later one. */
  private record Base(LogState state, String anchor) {}

  /** The state after a tail of records, and the names that were there after the last read. */
  private record Tail(LogState state, List<String> names) {}

  public LogReader(SlotStore store) {
    this(store, LogReader::sleep);
  }

  LogReader(SlotStore store, Pause pause) {
    this.store = store;
    this.pause = pause;
  }

  /** Reads a checkpoint, then the tail, then makes sure that the checkpoint is still the newest. */
  public LogState load() throws IOException {
    for (int round = 0; round < OVERTAKEN_MAX; round++) {
      OptionalLong head = store.readHead();
      List<String> names = store.list();
      long newest = newestCheckpoint(names);
      @Nullable Base base = null;
      try {
        base = base(names);
        if (base != null) {
          Tail tail = tail(base.state(), head.orElse(0), newest);
          if (stands(base, newest, tail.names())) {
            return tail.state();
          }
        }
      } catch (LogDamagedException e) {
        if (stands(base, newest, store.list())) {
          throw e;
        }
      }
    }
    throw new IOException("checkpoints kept overtaking the reader of " + store.describe(""));
  }

  /**
   * The newest checkpoint that is whole. The one before it is kept, with all later records, for the
   * case that the newest is unreadable. Null when a name was freed meanwhile.
   */
  private @Nullable Base base(List<String> names) throws IOException {
    @Nullable LogDamagedException damage = null;
    for (long sequence : checkpoints(names)) {
      try {
        LogState state = readCheckpoint(sequence);
        if (state != null && damage != null) {
          LOG.warn("Going on from checkpoint {} instead: {}", sequence, damage.getMessage());
        }
        return state == null ? null : new Base(state, Names.checkpoint(sequence));
      } catch (LogDamagedException e) {
        damage = damage == null ? e : damage;
      }
    }
    String first = Names.record(1);
    if (damage != null && !names.contains(first)) {
      throw damage;
    }
    return new Base(LogState.EMPTY, first);
  }

  /**
   * Whether no record after the base was freed: older checkpoints go first, the base's next, and
   * then later records.
   */
  private static boolean stands(@Nullable Base base, long newest, List<String> names) {
    boolean same = newestCheckpoint(names) == newest;
    return same && (base == null || newest == Names.NONE || names.contains(base.anchor()));
  }

  /**
   * The state after all commits since, as far as the head knows; the same state when there were
   * none. Costs no listing when the head is right.
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
        // The record may be in a freed name: the listing tells.
      }
    }
    return catchUpListing(from);
  }

  /** Like {@link #catchUp}, but does not trust the head: finds a gap before later records. */
  LogState catchUpListing(LogState from) throws IOException {
    OptionalLong head = store.readHead();
    try {
      Tail tail = tail(from, head.orElse(0), from.sequence());
      return newestCheckpoint(tail.names()) > from.sequence() ? load() : tail.state();
    } catch (LogDamagedException e) {
      if (newestCheckpoint(store.list()) > from.sequence()) {
        return load();
      }
      throw e;
    }
  }

  /**
   * Makes the records that were read durable. Each record was forced before it was linked; its
   * writer may not have forced the directory yet. Forcing one name is enough, and a tail may have
   * thousands.
   */
  void force(LogState read) throws IOException {
    store.force(List.of(Names.record(read.sequence())));
  }

  /** How a log relates to a position that was seen in it. */
  public enum Relation {
    /** The log has the position, or went on so far that the position was freed. */
    CONTINUES,
    /** The log ends before the position. */
    BEHIND,
    /** The log has another record at the position. */
    DIFFERS
  }

  /** Whether a state of the log continues from an earlier position. */
  Relation relation(LogState state, Position seen) throws IOException {
    if (seen.sequence() == 0) {
      return Relation.CONTINUES;
    }
    if (state.sequence() < seen.sequence()) {
      return Relation.BEHIND;
    }
    if (state.sequence() == seen.sequence()) {
      return state.position().hash().equals(seen.hash()) ? Relation.CONTINUES : Relation.DIFFERS;
    }
    byte[] expected = Codec.recordHeader(seen.sequence(), seen.hash());
    byte[] found = store.readStart(Names.record(seen.sequence()), expected.length);
    // A record that a checkpoint covers may be gone, and a paused SDM may have filled its name.
    boolean told =
        found == null
            || Arrays.equals(expected, found)
            || newestCheckpoint(store.list()) > seen.sequence();
    return told ? Relation.CONTINUES : Relation.DIFFERS;
  }

  /**
   * Whether the record at the position is still there. Names are freed in ascending order. While
   * this record is there, no later one has been freed, and the records read after it are true. This
   * check saves the listing of a long log.
   */
  private boolean stillThere(Position position) throws IOException {
    byte[] expected = Codec.recordHeader(position.sequence(), position.hash());
    byte[] found = store.readStart(Names.record(position.sequence()), expected.length);
    return Arrays.equals(expected, found);
  }

  /**
   * Reads to the end of the log as of the call, and makes sure that no record is missing. Stops
   * early at a newer checkpoint than the given one: names may have been freed, and hold any
   * content.
   */
  private Tail tail(LogState from, long head, long checkpoint) throws IOException {
    LogState state = readOn(from);
    List<String> names = store.list();
    long end = Math.max(Math.max(head, checkpoint), lastRecord(names));
    int looks = 0;
    while ((state.sequence() < end || empty(names)) && newestCheckpoint(names) <= checkpoint) {
      LogState more = readOn(state);
      if (more.sequence() == state.sequence()) {
        if (++looks == MISSING_LOOKS) {
          throw missing(state.sequence() + 1, names);
        }
        pause.take();
      }
      state = more;
      names = store.list();
    }
    return new Tail(state, names);
  }

  /** A log has a checkpoint from its creation on. */
  private static boolean empty(List<String> names) {
    return newestCheckpoint(names) == Names.NONE && lastRecord(names) == Names.NONE;
  }

  private LogDamagedException missing(long sequence, List<String> names) {
    return empty(names)
        ? new LogDamagedException(
            store.describe(""), "it is empty, though a log is never without a checkpoint or record")
        : new LogDamagedException(
            store.describe(Names.record(sequence)),
            "it is missing, though later records were committed");
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

  /** Null when a newer checkpoint has replaced it meanwhile. */
  private @Nullable LogState readCheckpoint(long sequence) throws IOException {
    String name = Names.checkpoint(sequence);
    try (InputStream in = store.open(name)) {
      return in == null ? null : CheckpointCodec.read(sequence, in, store.describe(name));
    }
  }

  /** Numbers of the checkpoints, the newest first. */
  static List<Long> checkpoints(List<String> names) {
    return names.stream()
        .map(Names::checkpointNumber)
        .filter(number -> number != Names.NONE)
        .sorted(Comparator.reverseOrder())
        .toList();
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
