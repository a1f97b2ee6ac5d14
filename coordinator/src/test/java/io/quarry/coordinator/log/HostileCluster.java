package io.quarry.coordinator.log;

import io.quarry.coordinator.log.CommitLog.Outcome;
import io.quarry.coordinator.log.LogRecord.Entry;
import io.quarry.coordinator.log.MemorySlotStore.PutFault;
import io.quarry.coordinator.plan.Reply;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

/**
 * Several hosts that all believe to be the SDM, checkpoints and vacuums at any time, readers, and a
 * storage that loses replies and delays links: one seed, one history.
 */
final class HostileCluster {
  private static final int SDMS = 3;
  private static final int TERMS = 3;
  private static final int COMMITS_MAX = 6;
  private static final int ENTRIES_MAX = 3;

  private final Random random;
  private final TrueLog truth = new TrueLog();
  private final MemoryDisk disk = new MemoryDisk(truth::linked);
  private final Baton baton;

  /** Answers that were given, and ones that must never come true, by request id. */
  private final Map<String, Reply> acknowledged = new HashMap<>();

  private final List<Entry> refused = new ArrayList<>();

  /** Requests whose callers did not get a good answer: they repeat them, anywhere. */
  private final List<String> repeats = new ArrayList<>();

  private int attempts;
  private int workingSdms = SDMS;

  HostileCluster(long seed) {
    this.random = new Random(seed);
    this.baton = new Baton(random);
  }

  void run() throws Exception {
    for (int i = 0; i < SDMS; i++) {
      String name = "sdm" + i;
      baton.add(name, self -> beSdm(self, name));
    }
    baton.add("reader", this::follow);
    try {
      baton.run();
      check();
    } catch (AssertionError e) {
      throw new AssertionError(String.join("\n", baton.trace()), e);
    }
  }

  private void check() throws IOException {
    MemorySlotStore store = new MemorySlotStore(disk);
    truth.checkWhole(new LogReader(store).load());
    for (long sequence : LogReader.checkpoints(store.list())) {
      checkWithout(Names.checkpoint(sequence), store);
    }
    acknowledged.forEach(truth::checkAcknowledged);
    refused.forEach(entry -> truth.checkNotCommitted(entry.requestId(), entry.reply()));
  }

  /** Whichever checkpoint gets spoilt, the log is still there. */
  private void checkWithout(String checkpoint, MemorySlotStore store) throws IOException {
    byte[] content = Objects.requireNonNull(disk.read(checkpoint));
    disk.overwrite(checkpoint, new byte[] {1});
    truth.checkWhole(new LogReader(store, () -> {}).load());
    disk.overwrite(checkpoint, content);
  }

  private void beSdm(Baton.Actor self, String name) {
    MemorySlotStore store = new MemorySlotStore(disk, self::step);
    LogState known = LogState.EMPTY;
    for (int term = 0; term < TERMS; term++) {
      try {
        CommitLog log = new CommitLog(store, reader(self, store), name + "." + term);
        known = lead(self, log, store, known);
      } catch (Baton.Died e) {
        known = LogState.EMPTY;
      } catch (IOException e) {
        // The storage failed: the host stands for election again.
      }
      store.landDelayed();
    }
    workingSdms--;
  }

  /** One term; returns what the host knows after it. */
  private LogState lead(Baton.Actor self, CommitLog log, MemorySlotStore store, LogState known)
      throws IOException {
    disturb(store);
    if (!(log.beginTerm(known, Candidate.NOW) instanceof Outcome.Committed begun)) {
      return known;
    }
    LogState state = begun.state();
    truth.checkSeen(state);
    int commits = random.nextInt(COMMITS_MAX);
    for (int i = 0; i < commits; i++) {
      List<Entry> entries = entries(state);
      if (entries.isEmpty()) {
        continue;
      }
      disturb(store);
      Outcome outcome;
      try {
        outcome = log.commit(state, entries, Candidate.NOW);
      } catch (Baton.Died e) {
        entries.forEach(entry -> repeats.add(entry.requestId()));
        throw e;
      }
      switch (outcome) {
        case Outcome.Committed committed -> {
          state = committed.state();
          truth.checkSeen(state);
          entries.forEach(this::acknowledge);
        }
        case Outcome.NotCommitted not -> {
          entries.forEach(this::refuse);
          return state;
        }
        case Outcome.Unknown unknown -> {
          entries.forEach(entry -> repeats.add(entry.requestId()));
          return state;
        }
      }
      if (random.nextInt(3) == 0) {
        checkpoint(self, store, state);
      }
    }
    return state;
  }

  private void acknowledge(Entry entry) {
    acknowledged.put(entry.requestId(), entry.reply());
    truth.checkAcknowledged(entry.requestId(), entry.reply());
  }

  private void refuse(Entry entry) {
    refused.add(entry);
    repeats.add(entry.requestId());
    truth.checkNotCommitted(entry.requestId(), entry.reply());
  }

  /** Fresh requests and repeated ones; what the state answers already is no entry. */
  private List<Entry> entries(LogState state) {
    Map<String, Entry> entries = new HashMap<>();
    int count = 1 + random.nextInt(ENTRIES_MAX);
    for (int i = 0; i < count; i++) {
      boolean repeat = !repeats.isEmpty() && random.nextBoolean();
      String attempt = "attempt" + attempts++;
      String requestId = repeat ? repeats.get(random.nextInt(repeats.size())) : attempt;
      Reply earlier = state.repository().requests().find(requestId);
      if (earlier == null) {
        entries.put(requestId, Candidate.entry(state, requestId, attempt));
      } else {
        truth.checkAcknowledged(requestId, earlier);
      }
    }
    return List.copyOf(entries.values());
  }

  private void checkpoint(Baton.Actor self, MemorySlotStore store, LogState state) {
    if (random.nextInt(6) == 0) {
      store.spoilNextCheckpoint();
    }
    try {
      new Checkpointer(store).checkpoint(state);
    } catch (IOException e) {
      self.step("no checkpoint: " + e.getMessage());
    }
  }

  private void disturb(MemorySlotStore store) {
    switch (random.nextInt(16)) {
      case 0 -> store.nextPuts(PutFault.LOST_REPLY);
      case 1 -> store.nextPuts(PutFault.DELAYED_LINK);
      case 2 -> store.nextPuts(PutFault.BEFORE_LINK);
      case 3 -> store.nextPuts(PutFault.DELAYED_LINK, PutFault.LOST_REPLY);
      case 4 -> store.failReads(1);
      case 5 -> store.freezeListing();
      case 6 -> store.landDelayed();
      case 7 -> store.nextPuts(PutFault.SENT_TWICE);
      case 8 -> store.nextPuts(PutFault.LOST_REPLY, PutFault.SENT_TWICE);
      default -> {}
    }
  }

  private void follow(Baton.Actor self) throws IOException {
    LogReader reader = reader(self, new MemorySlotStore(disk, self::step));
    LogState seen = LogState.EMPTY;
    while (workingSdms > 0) {
      try {
        LogState next = random.nextInt(4) == 0 ? reader.load() : reader.catchUp(seen);
        truth.checkSeen(next);
        if (next.sequence() < seen.sequence()) {
          throw new AssertionError("the log became shorter");
        }
        seen = next;
        self.step("rests");
      } catch (Baton.Died e) {
        seen = LogState.EMPTY;
      }
    }
  }

  private static LogReader reader(Baton.Actor self, MemorySlotStore store) {
    return new LogReader(store, () -> self.step("waits"));
  }
}
