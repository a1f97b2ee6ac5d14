package io.quarry.agent.storage.block;

import io.quarry.agent.storage.VolumeLog;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.CommitLog.Outcome;
import io.quarry.coordinator.log.LogRecord.Entry;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.Replica;
import io.quarry.coordinator.log.SlotStore;
import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.Feature;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.Transaction;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The log as one host sees it. The host becomes the SDM for each request that it commits, so hosts
 * that commit at the same time get in each other's way.
 */
public final class HostLog implements VolumeLog {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  /** What becomes of a request whose answer does not come. */
  public enum Lost {
    /** The request is in the log. */
    ANSWER,
    /** The request is not in the log yet. */
    REQUEST,
    /** No host leads the repository. */
    NO_SDM
  }

  private final CommitLog log;
  private final Replica replica;
  private @Nullable Lost next;
  private @Nullable Request late;
  private volatile boolean hangs;

  public HostLog(SlotStore store, String host) throws IOException {
    this.log = new CommitLog(store, host);
    this.replica = new Replica(host, store);
  }

  /** The next request has no answer. */
  public synchronized void loseNext(Lost lost) {
    next = lost;
  }

  /** From now on the storage does not answer this host. */
  public void hang() {
    hangs = true;
  }

  /** The lost request arrives after all. */
  public synchronized void arriveLate() {
    if (late != null) {
      var _ = committed(late);
      late = null;
    }
  }

  /** The first host of a repository whose volumes are extents. */
  public static void begin(SlotStore store) throws IOException {
    CommitLog genesis = new CommitLog(store, "genesis");
    LogState begun = ((Outcome.Committed) genesis.beginTerm(LogState.EMPTY, NOW)).state();
    Entry features =
        new Entry(
            "genesis",
            new Reply("enableFeatures", "repository", begun.sequence() + 1),
            Stream.concat(Feature.KNOWN.stream(), Feature.OF_NEW_REPOSITORIES.stream())
                .<Change>map(Change.PutFeature::new)
                .toList());
    if (!(genesis.commit(begun, List.of(features), NOW) instanceof Outcome.Committed)) {
      throw new AssertionError("the log was begun by another host");
    }
  }

  @Override
  public LogState state() {
    return replica.state();
  }

  @Override
  public LogState refresh() throws IOException {
    requireAnswer();
    return replica.refresh();
  }

  private void requireAnswer() {
    if (hangs) {
      throw new StorageException(
          ErrorCode.REPOSITORY_UNRESPONSIVE, "the storage hangs", "repo", "call again");
    }
  }

  @Override
  public synchronized LogState commit(Request request) {
    requireAnswer();
    Lost lost = next;
    next = null;
    if (lost == Lost.NO_SDM) {
      throw new StorageException(
          ErrorCode.SDM_UNAVAILABLE, "no host leads it", "repo", "call again");
    }
    if (lost == Lost.REQUEST) {
      late = request;
    }
    if (lost != null) {
      LogState before = lost == Lost.ANSWER ? committed(request) : state();
      throw new StorageException(
          ErrorCode.OUTCOME_UNKNOWN, "lost after " + before.sequence(), "repo", "call again");
    }
    return committed(request);
  }

  private LogState committed(Request request) {
    String requestId = UUID.randomUUID().toString();
    try {
      while (true) {
        Outcome led = log.beginTerm(replica.refresh(), NOW);
        if (led instanceof Outcome.Committed term) {
          LogState state = term.state();
          if (state.repository().requests().find(requestId) == null) {
            Outcome outcome = log.commit(state, entries(state, requestId, request), NOW);
            if (!(outcome instanceof Outcome.Committed committed)) {
              continue;
            }
            state = committed.state();
          }
          replica.advance(state);
          return state;
        }
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static List<Entry> entries(LogState state, String requestId, Request request) {
    Transaction transaction = new Transaction(state.repository(), state.sequence() + 1, NOW);
    Reply reply = request.plan(transaction);
    return List.of(new Entry(requestId, reply, transaction.changes()));
  }
}
