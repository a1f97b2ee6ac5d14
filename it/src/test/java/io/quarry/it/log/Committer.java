package io.quarry.it.log;

import io.quarry.coordinator.log.Checkpointer;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.CommitLog.Outcome;
import io.quarry.coordinator.log.LogReader;
import io.quarry.coordinator.log.LogRecord.Entry;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.SlotStore;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.thread.Deadline;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * One of two SDMs on two hosts that commit to one log. A deposed SDM lets the other one commit for
 * a while, then deposes it. Prints {@code ACKNOWLEDGED id}, {@code REFUSED id cause} or {@code
 * UNKNOWN id cause} for each commit.
 */
public final class Committer {
  private static final long POLL_MILLIS = 50;

  private final SlotStore store;
  private final CommitLog log;
  private final LogReader reader;
  private final String writer;
  private final Turns turns;
  private final Random random = new Random();
  private int requests;
  private int acknowledged;

  /**
   * How two SDMs take turns.
   *
   * @param awaited how many commits of the other SDM one awaits before it deposes that one
   * @param most an SDM stops after so many, since the other one may be too slow to depose it
   * @param idle how long an SDM waits now and then for its next request, at most
   * @param silence the other SDM has ended when it commits nothing for so long
   */
  public record Turns(int awaited, int most, Duration idle, Duration silence) {}

  /**
   * @param writer unlike that of all earlier processes
   */
  public Committer(SlotStore store, String writer, Turns turns) {
    this.store = store;
    this.log = new CommitLog(store, writer);
    this.reader = new LogReader(store);
    this.writer = writer;
    this.turns = turns;
  }

  /** Returns after so many acknowledged commits. */
  public void commit(int commits) throws IOException, InterruptedException {
    LogState state = LogState.EMPTY;
    while (acknowledged < commits) {
      if (log.beginTerm(state, Instant.now()) instanceof Outcome.Committed term) {
        state = lead(term.state(), commits);
      }
      if (acknowledged < commits) {
        state = awaitTurn(state);
      }
    }
  }

  /**
   * Commits until the turn is over or another SDM commits; returns the last state that is known.
   */
  private LogState lead(LogState begun, int commits) throws IOException, InterruptedException {
    LogState state = begun;
    int end = Math.min(commits, acknowledged + turns.most());
    while (acknowledged < end) {
      String id = writer + "." + ++requests;
      Reply reply = new Reply("createVirtualDisk", id, state.sequence() + 1);
      Outcome outcome = log.commit(state, List.of(new Entry(id, reply, List.of())), Instant.now());
      switch (outcome) {
        case Outcome.Committed committed -> {
          state = committed.state();
          acknowledged++;
          System.out.println("ACKNOWLEDGED " + id);
          if (store.wantsCheckpoint()) {
            new Checkpointer(store).checkpoint(state);
          }
          if (acknowledged % turns.awaited() == 0) {
            TimeUnit.MILLISECONDS.sleep(random.nextLong(turns.idle().toMillis() + 1));
          }
        }
        case Outcome.NotCommitted lost -> {
          System.out.println("REFUSED " + id + " " + lost.cause());
          return state;
        }
        case Outcome.Unknown unknown -> {
          System.out.println("UNKNOWN " + id + " " + unknown.cause());
          return state;
        }
      }
    }
    return state;
  }

  private LogState awaitTurn(LogState from) throws IOException, InterruptedException {
    LogState state = from;
    Deadline silence = Deadline.after(turns.silence());
    while (state.sequence() < from.sequence() + turns.awaited() && !silence.passed()) {
      TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
      LogState newer = reader.catchUp(state);
      if (newer.sequence() > state.sequence()) {
        silence = Deadline.after(turns.silence());
      }
      state = newer;
    }
    return state;
  }
}
