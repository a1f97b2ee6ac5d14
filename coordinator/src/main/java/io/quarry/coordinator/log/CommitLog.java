package io.quarry.coordinator.log;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.log.LogRecord.Entry;
import io.quarry.coordinator.log.SlotStore.Put;
import io.quarry.coordinator.plan.RecentRequests;
import io.quarry.coordinator.plan.Reply;
import java.io.IOException;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Appends records to a repository's log, as one candidate among several that may all believe to be
 * the SDM. Used by one thread at a time. Safety rests on put-if-absent and on the validation after
 * it, never on the election.
 */
public final class CommitLog {
  private static final Logger LOG = LoggerFactory.getLogger(CommitLog.class);

  /** The only file in the directory of a new log. */
  public static final String CREATED = Names.checkpoint(0);

  /** The most bytes of one request in a record; no request of today comes near it. */
  public static final int ENTRY_BYTES_MAX = 16 << 20;

  private final SlotStore store;
  private final LogReader reader;
  private final String writer;

  /** The outcome of an append. */
  public sealed interface Outcome {
    /** A fresh reader sees the record; {@code state} is the log with it. */
    record Committed(LogState state) implements Outcome {}

    /**
     * No reader will ever see the record. Another SDM writes, or the storage refused before the
     * name was taken.
     */
    record NotCommitted(IOException cause) implements Outcome {}

    /** The outcome is unknown for now. A caller learns it by repeating the same request ids. */
    record Unknown(IOException cause) implements Outcome {}
  }

  /** Another SDM's record has the name. */
  public static final class SupersededException extends IOException {
    private static final long serialVersionUID = 1L;

    SupersededException(String what) {
      super(what);
    }
  }

  public CommitLog(SlotStore store, String writer) {
    this(store, new LogReader(store), writer);
  }

  CommitLog(SlotStore store, LogReader reader, String writer) {
    this.store = store;
    this.reader = reader;
    this.writer = writer;
  }

  /**
   * Makes an empty directory into a log, with an empty checkpoint. This comes before the
   * repository's genesis record: a repository whose log directory is empty has lost its log, and is
   * not a new one.
   */
  public static void create(SlotStore store) throws IOException {
    store.putIfAbsent(CREATED, out -> CheckpointCodec.write(LogState.EMPTY, out));
  }

  /** The writer's name in records. */
  public String writer() {
    return writer;
  }

  /**
   * The length of the entry in a record, in bytes.
   *
   * @throws JsonProcessingException when no record can hold the entry
   */
  public static long bytesOf(Entry entry) throws JsonProcessingException {
    return Codec.bytesOf(entry);
  }

  /** Begins a term on top of the log's newest state, after making that state durable. */
  public Outcome beginTerm(LogState known, Instant now) throws IOException {
    LogState latest = known.sequence() == 0 ? reader.load() : reader.catchUpListing(known);
    Position at = latest.position();
    reader.force(latest);
    LogRecord record =
        new LogRecord(at.sequence() + 1, at.hash(), at.term() + 1, writer, nonce(), now, List.of());
    Outcome outcome = append(latest, record);
    // A shared filesystem may have shown an old directory, and so a record in a freed name. After a
    // put of its own, this host sees the present directory.
    boolean misled = LogReader.newestCheckpoint(store.list()) > latest.sequence();
    return misled && outcome instanceof Outcome.Committed ? settle(record, overtaken()) : outcome;
  }

  /** Commits the entries right after the state. */
  public Outcome commit(LogState after, List<Entry> entries, Instant now) throws IOException {
    Position at = after.position();
    return append(
        after,
        new LogRecord(at.sequence() + 1, at.hash(), at.term(), writer, nonce(), now, entries));
  }

  /**
   * Whether a fresh reader would see this state as the newest: for answers that change nothing, but
   * would be wrong after another SDM's commit. The next name is read first. While the state's own
   * name is there, no vacuum has freed the next one.
   */
  public Outcome confirm(LogState state) throws IOException {
    boolean last = store.readStart(Names.record(state.sequence() + 1), 1) == null;
    return last && readersPass(state)
        ? new Outcome.Committed(state)
        : new Outcome.NotCommitted(overtaken());
  }

  private Outcome append(LogState after, LogRecord record) throws IOException {
    Codec.Encoded encoded;
    try {
      encoded = Codec.encode(record);
    } catch (IOException e) {
      return new Outcome.NotCommitted(e);
    }
    String name = Names.record(record.sequence());
    Outcome outcome;
    try {
      FaultPoints.reach("log.put");
      Put put = store.putIfAbsent(name, encoded.bytes());
      FaultPoints.reach("log.validate");
      if (put == Put.CREATED) {
        outcome = validate(after, record, encoded);
      } else if (isOurs(name, encoded)) {
        store.force(List.of(name));
        outcome = validate(after, record, encoded);
      } else {
        outcome = settle(record, writtenByAnother(name));
      }
    } catch (PutNotStartedException e) {
      return new Outcome.NotCommitted(e);
    } catch (IOException e) {
      outcome = settleUnknown(after, record, encoded, e);
    }
    if (outcome instanceof Outcome.Committed committed) {
      noteHead(committed.state().sequence());
    }
    return outcome;
  }

  /**
   * The name was free, but a vacuum may have freed it while this process was paused: then no reader
   * will ever see the record. Names are freed in ascending order, and the newest record that a
   * checkpoint covers is kept. So readers see the record if the one before it is still there and
   * unchanged.
   */
  private Outcome validate(LogState after, LogRecord record, Codec.Encoded encoded)
      throws IOException {
    return readersPass(after)
        ? new Outcome.Committed(after.plus(record, encoded.hash()))
        : settle(record, overtaken());
  }

  /** Whether a fresh reader reaches the name after the state. Called once that name is taken. */
  private boolean readersPass(LogState after) throws IOException {
    if (after.sequence() == 0) {
      return false;
    }
    byte[] expected = Codec.recordHeader(after.sequence(), after.position().hash());
    byte[] found = store.readStart(Names.record(after.sequence()), expected.length);
    return Arrays.equals(expected, found);
  }

  /** Decides by the state that a fresh reader sees. */
  private Outcome settle(LogRecord record, SupersededException why) {
    LogState fresh;
    try {
      fresh = reader.load();
    } catch (IOException e) {
      return new Outcome.Unknown(e);
    }
    if (record.entries().isEmpty()) {
      boolean current =
          fresh.position().term() == record.term() && fresh.position().writer().equals(writer);
      return current ? durable(fresh) : new Outcome.NotCommitted(why);
    }
    return switch (presence(fresh, record)) {
      case ALL -> durable(fresh);
      case NONE -> new Outcome.NotCommitted(why);
      case UNCLEAR -> new Outcome.Unknown(why);
    };
  }

  /** The writer of the newest record may not have forced its name yet. */
  private Outcome durable(LogState fresh) {
    try {
      reader.force(fresh);
      return new Outcome.Committed(fresh);
    } catch (IOException e) {
      return new Outcome.Unknown(e);
    }
  }

  private enum Presence {
    ALL,
    NONE,
    /**
     * The request is forgotten, not read yet, or was committed at least in part by another SDM that
     * got a repeat.
     */
    UNCLEAR
  }

  /**
   * Whether the log has the entries, at any place. Another SDM may have got a repeat of one of the
   * requests, even for a record of the same number. So no entry speaks for the others.
   */
  private static Presence presence(LogState fresh, LogRecord record) {
    RecentRequests requests = fresh.repository().requests();
    int found = 0;
    boolean same = true;
    for (Entry entry : record.entries()) {
      Reply reply = requests.find(entry.requestId());
      found += reply == null ? 0 : 1;
      same &= entry.reply().equals(reply);
    }
    if (same) {
      return Presence.ALL;
    }
    boolean known = fresh.sequence() >= record.sequence() && requests.remembers(record.sequence());
    return found == 0 && known ? Presence.NONE : Presence.UNCLEAR;
  }

  /**
   * The put may have happened or not, and a delayed put may still happen. A no-op under the same
   * name ends that: the name then holds our record, another one, or the no-op. The no-op proves
   * nothing if readers do not reach it: the record may have been committed, covered by a checkpoint
   * and freed meanwhile.
   */
  private Outcome settleUnknown(
      LogState after, LogRecord record, Codec.Encoded encoded, IOException cause) {
    String name = Names.record(record.sequence());
    LOG.warn("Commit of {} has an unknown outcome, settling it: {}", name, cause.toString());
    try {
      LogRecord noop =
          new LogRecord(
              record.sequence(),
              record.previous(),
              after.position().term(),
              writer,
              nonce(),
              record.time(),
              List.of());
      Codec.Encoded filler = Codec.encode(noop);
      if (store.putIfAbsent(name, filler.bytes()) == Put.CREATED || isOurs(name, filler)) {
        return readersPass(after) ? new Outcome.NotCommitted(cause) : settle(record, overtaken());
      }
      if (isOurs(name, encoded)) {
        store.force(List.of(name));
        return validate(after, record, encoded);
      }
      return settle(record, writtenByAnother(name));
    } catch (IOException e) {
      e.addSuppressed(cause);
      return new Outcome.Unknown(e);
    }
  }

  private boolean isOurs(String name, Codec.Encoded encoded) throws IOException {
    byte[] found = store.read(name);
    return found != null && Arrays.equals(found, encoded.bytes());
  }

  private void noteHead(long sequence) {
    try {
      store.writeHead(sequence);
    } catch (IOException e) {
      LOG.warn("Could not note the head {}: {}", sequence, e.toString());
    }
  }

  private static SupersededException writtenByAnother(String name) {
    return new SupersededException(name + " was written by another SDM");
  }

  private static SupersededException overtaken() {
    return new SupersededException("the log has moved on without this SDM");
  }

  private static String nonce() {
    return UUID.randomUUID().toString();
  }
}
