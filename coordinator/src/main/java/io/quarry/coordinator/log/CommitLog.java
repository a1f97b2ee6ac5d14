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
 * the SDM. Used by one thread at a time. Safety rests on put-if-absent and on what is validated
 * after it, never on the election.
 */
public final class CommitLog {
  private static final Logger LOG = LoggerFactory.getLogger(CommitLog.class);

  /** All that the directory of a log holds when it has just been created. */
  public static final String CREATED = Names.checkpoint(0);

  /** What one request may put into a record, in bytes; no request of today comes near it. */
  public static final int ENTRY_BYTES_MAX = 16 << 20;

  private final SlotStore store;
  private final LogReader reader;
  private final String writer;

  /** What became of an append. */
  public sealed interface Outcome {
    /** A fresh reader sees the record; {@code state} is the log with it. */
    record Committed(LogState state) implements Outcome {}

    /** It never will be seen. Somebody else writes, or the storage refused before the name. */
    record NotCommitted(IOException cause) implements Outcome {}

    /** Nobody can tell now. Whoever asks again with the same request ids learns it. */
    record Unknown(IOException cause) implements Outcome {}
  }

  /** Somebody else's record is in the place. */
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
   * Makes an empty directory into a log, with a checkpoint of nothing. Done before the repository's
   * genesis: a repository whose log directory is empty has lost its log, and is not a fresh one.
   */
  public static void create(SlotStore store) throws IOException {
    store.putIfAbsent(CREATED, out -> CheckpointCodec.write(LogState.EMPTY, out));
  }

  /** As records name it. */
  public String writer() {
    return writer;
  }

  /**
   * What the entry takes in a record, in bytes.
   *
   * @throws JsonProcessingException when no record can hold the entry
   */
  public static long bytesOf(Entry entry) throws JsonProcessingException {
    return Codec.bytesOf(entry);
  }

  /** Begins a term on top of what the log holds now, after making that durable. */
  public Outcome beginTerm(LogState known, Instant now) throws IOException {
    LogState latest = known.sequence() == 0 ? reader.load() : reader.catchUpListing(known);
    Position at = latest.position();
    reader.force(latest);
    LogRecord record =
        new LogRecord(at.sequence() + 1, at.hash(), at.term() + 1, writer, nonce(), now, List.of());
    Outcome outcome = append(latest, record);
    // A shared filesystem may have shown an old directory, and so a record in a freed name. Having
    // put something itself, this host sees the directory as it is.
    boolean misled = LogReader.newestCheckpoint(store.list()) > latest.sequence();
    return misled && outcome instanceof Outcome.Committed ? settle(record, overtaken()) : outcome;
  }

  /** Commits the entries right after the state, or says that it did not, or cannot say. */
  public Outcome commit(LogState after, List<Entry> entries, Instant now) throws IOException {
    Position at = after.position();
    return append(
        after,
        new LogRecord(at.sequence() + 1, at.hash(), at.term(), writer, nonce(), now, entries));
  }

  /**
   * Whether the state is still all that a fresh reader would see: for answers that change nothing,
   * but are wrong if somebody else has committed meanwhile. The name after the state's is looked at
   * first: as long as the state's own is there, it was not freed by a vacuum.
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
   * The name was free, but it may have been freed by a vacuum while this process was paused: then
   * nobody will ever read the record. Names are freed in ascending order, and the newest that a
   * checkpoint covers is kept, so the record is in the readers' path if the one before it is still
   * there and still the one we know.
   */
  private Outcome validate(LogState after, LogRecord record, Codec.Encoded encoded)
      throws IOException {
    return readersPass(after)
        ? new Outcome.Committed(after.plus(record, encoded.hash()))
        : settle(record, overtaken());
  }

  /** Whether a fresh reader comes to the name after the state: asked once the name is taken. */
  private boolean readersPass(LogState after) throws IOException {
    if (after.sequence() == 0) {
      return false;
    }
    byte[] expected = Codec.recordHeader(after.sequence(), after.position().hash());
    byte[] found = store.readStart(Names.record(after.sequence()), expected.length);
    return Arrays.equals(expected, found);
  }

  /** Decides by what a fresh reader sees. */
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

  /** Whoever wrote the newest record may not have come to force its name yet. */
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
     * Forgotten, not read yet, or committed at least in part by another, to whom it was repeated.
     */
    UNCLEAR
  }

  /**
   * Whether the log has the entries, wherever they are. The same request may have been repeated to
   * another SDM, even into a record of the same number, so no entry speaks for the rest.
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
   * The put may or may not have happened, and a delayed one may still happen. Filling the name
   * ourselves ends that: either it is ours or another's record already, or the no-op takes it. The
   * no-op proves nothing when readers do not come to it: the record may have been committed,
   * covered by a checkpoint and freed meanwhile.
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
