package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.coordinator.log.CommitLog.Outcome;
import io.quarry.coordinator.log.LogRecord.Entry;
import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.Pin;
import io.quarry.coordinator.plan.Reply;
import java.io.IOException;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;

/** One host that believes to be the SDM: a commit log and the state it knows. */
public final class Contender {
  static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  public final SlotStore store;
  public final String name;
  final CommitLog log;
  public LogState state = LogState.EMPTY;

  /** The state before the last commit. */
  LogState before = LogState.EMPTY;

  public Contender(SlotStore store, String name) {
    this.store = store;
    this.name = name;
    this.log = new CommitLog(store, name);
  }

  /** Begins a term on the known state. */
  public Outcome lead() throws IOException {
    return know(log.beginTerm(state, NOW));
  }

  /** Commits one entry per request id right after the known state. */
  public Outcome commit(String... requestIds) throws IOException {
    return know(log.commit(state, entries(state, requestIds), NOW));
  }

  /** Each entry puts a pin under the request's id; the reply names the candidate. */
  public List<Entry> entries(LogState after, String... requestIds) {
    return Arrays.stream(requestIds).map(id -> entry(after, id, name + "-" + id)).toList();
  }

  static Entry entry(LogState after, String requestId, String replyId) {
    Reply reply = new Reply("pinForCopy", replyId, after.sequence() + 1);
    Change change = new Change.PutPin(new Pin(requestId, "image", null, "key", "target", NOW));
    return new Entry(requestId, reply, List.of(change));
  }

  /** Writes two checkpoints, so that all records before its last commit are freed. */
  public void checkpoint() throws IOException {
    Checkpointer checkpointer = new Checkpointer(store);
    checkpointer.checkpoint(before);
    checkpointer.checkpoint(state);
  }

  private Outcome know(Outcome outcome) {
    if (outcome instanceof Outcome.Committed committed) {
      before = state;
      state = committed.state();
    }
    return outcome;
  }

  /** A candidate that leads and has committed that many records, including the term's own. */
  public static Contender leading(SlotStore store, String name, int records) throws IOException {
    Contender candidate = new Contender(store, name);
    assertThat(candidate.lead()).isInstanceOf(Outcome.Committed.class);
    while (candidate.state.sequence() < records) {
      Outcome outcome = candidate.commit(name + "." + (candidate.state.sequence() + 1));
      assertThat(outcome).isInstanceOf(Outcome.Committed.class);
    }
    return candidate;
  }
}
