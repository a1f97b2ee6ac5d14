package io.quarry.it.nfs;

import io.quarry.agent.data.os.Folder;
import io.quarry.agent.storage.directory.DirectorySlotStore;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.CommitLog.Outcome;
import io.quarry.coordinator.log.LogReader;
import io.quarry.coordinator.log.LogRecord.Entry;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.thread.Deadline;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * One of two SDMs on two hosts that commit to one log. A deposed SDM lets the other one commit for
 * a while, then deposes it. Prints {@code ACKNOWLEDGED id} for each commit.
 */
final class Committer {
  /** How many commits of the other SDM one awaits before it deposes that one. */
  private static final int AWAITED_COMMITS = 10;

  /** An SDM stops after so many, since the other one may be too slow to depose it. */
  private static final int TURN_COMMITS = 2 * AWAITED_COMMITS;

  /** The other SDM has ended when it commits nothing for so long. */
  private static final Duration SILENCE_MAX = Duration.ofSeconds(3);

  private static final long POLL_MILLIS = 50;

  private final CommitLog log;
  private final LogReader reader;
  private final String writer;
  private int requests;
  private int acknowledged;

  private Committer(DirectorySlotStore store, String writer) {
    this.log = new CommitLog(store, writer);
    this.reader = new LogReader(store);
    this.writer = writer;
  }

  /** Arguments: the directory of a slot store, the SDM's name, how many commits it has to make. */
  public static void main(String[] args) throws Exception {
    try (DirectorySlotStore store =
        new DirectorySlotStore(Folder.open(Path.of(args[0])), args[1])) {
      CommitLog.create(store);
      new Committer(store, args[1]).commit(Integer.parseInt(args[2]));
    }
  }

  private void commit(int commits) throws IOException, InterruptedException {
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
  private LogState lead(LogState begun, int commits) throws IOException {
    LogState state = begun;
    int end = Math.min(commits, acknowledged + TURN_COMMITS);
    while (acknowledged < end) {
      String id = writer + "." + ++requests;
      Reply reply = new Reply("createVirtualDisk", id, state.sequence() + 1);
      Outcome outcome = log.commit(state, List.of(new Entry(id, reply, List.of())), Instant.now());
      switch (outcome) {
        case Outcome.Committed committed -> {
          state = committed.state();
          acknowledged++;
          System.out.println("ACKNOWLEDGED " + id);
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
    Deadline silence = Deadline.after(SILENCE_MAX);
    while (state.sequence() < from.sequence() + AWAITED_COMMITS && !silence.passed()) {
      TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
      LogState newer = reader.catchUp(state);
      if (newer.sequence() > state.sequence()) {
        silence = Deadline.after(SILENCE_MAX);
      }
      state = newer;
    }
    return state;
  }
}
