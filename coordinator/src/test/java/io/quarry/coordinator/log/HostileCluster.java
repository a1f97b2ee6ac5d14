package io.quarry.coordinator.log;

import io.quarry.coordinator.log.CommitLog.Outcome;
import io.quarry.coordinator.log.LogRecord.Entry;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.sim.Baton;
import io.quarry.coordinator.sim.Schedules;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiConsumer;

/**
 * Several hosts that all believe to be the SDM, checkpoints and vacuums at any time, and readers.
 * The storage loses replies, delays links and, if it can, loses its power. One seed, one history.
 */
public final class HostileCluster implements Schedules.History {
  private static final int SDMS = 3;
  private static final int TERMS = 3;
  private static final int COMMITS_MAX = 6;
  private static final int ENTRIES_MAX = 3;

  /** Steps of the power supply, which takes turns like the hosts. */
  private static final int POWER_CUT_EVERY = 60;

  private final Random random;
  private final TrueLog truth = new TrueLog();
  private final HostileStorage storage;
  private final Baton baton;
  private final boolean powerCuts;

  /** Answers that callers got, by request id. */
  private final Map<String, Reply> acknowledged = new HashMap<>();

  /** Entries reported as not committed: they must never come true. */
  private final List<Entry> refused = new ArrayList<>();

  /** Requests whose callers got no good answer: the callers repeat them at any host. */
  private final List<String> repeats = new ArrayList<>();

  private int attempts;
  private int workingSdms = SDMS;

  /**
   * @param deaths the probability of a death at each step
   * @param powerCuts whether the storage can lose its power, as it then does in half of the
   *     histories
   */
  public HostileCluster(long seed, double deaths, boolean powerCuts, Make make) throws IOException {
    this.random = new Random(seed);
    this.powerCuts = powerCuts && random.nextBoolean();
    this.storage = make.storage(truth::linked);
    this.baton = new Baton(random, deaths);
  }

  /** Over slots in memory, each written whole or not at all. */
  static HostileCluster inMemory(long seed) throws IOException {
    return new HostileCluster(seed, 0.004, false, MemoryStorage::new);
  }

  /** Makes a storage that reports each name that is taken. */
  public interface Make {
    HostileStorage storage(BiConsumer<String, byte[]> onLink) throws IOException;
  }

  @Override
  public void run() throws Exception {
    for (int i = 0; i < SDMS; i++) {
      String name = "sdm" + i;
      baton.add(name, self -> beSdm(self, name));
    }
    baton.add("reader", this::follow);
    if (powerCuts) {
      baton.addImmortal("power", this::cutPower);
    }
    try {
      baton.run();
      check();
    } catch (AssertionError e) {
      throw new AssertionError(String.join("\n", baton.trace()), e);
    }
  }

  private void check() throws IOException {
    SlotStore store = storage.calm();
    truth.checkWhole(new LogReader(store).load());
    boolean begun = truth.latest().sequence() > 0;
    for (long sequence : begun ? LogReader.checkpoints(store.list()) : List.<Long>of()) {
      checkWithout(Names.checkpoint(sequence), store);
    }
    acknowledged.forEach(truth::checkAcknowledged);
    refused.forEach(entry -> truth.checkNotCommitted(entry.requestId(), entry.reply()));
  }

  /** The log stays readable without any one checkpoint. */
  private void checkWithout(String checkpoint, SlotStore store) throws IOException {
    byte[] stored = storage.stored(checkpoint);
    storage.overwrite(checkpoint, new byte[] {1});
    truth.checkWhole(new LogReader(store, () -> {}).load());
    storage.overwrite(checkpoint, stored);
  }

  /** All hosts die, and data that was not durable is gone. */
  private void cutPower(Baton.Actor self) throws IOException {
    while (workingSdms > 0) {
      self.step("hums");
      if (random.nextInt(POWER_CUT_EVERY) == 0) {
        self.step("is cut");
        baton.doomOthers(self);
        storage.powerCut(random);
        truth.powerCut(new LogReader(storage.calm()).load());
        acknowledged.forEach(truth::checkAcknowledged);
      }
    }
  }

  private void beSdm(Baton.Actor self, String name) throws IOException {
    HostileStorage.Host host = storage.host(name, self::step);
    LogState known = LogState.EMPTY;
    boolean born = false;
    for (int term = 0; term < TERMS; term++) {
      try {
        if (!born) {
          host.beginLife();
          born = true;
        }
        CommitLog log = new CommitLog(host.store(), reader(self, host.store()), name + "." + term);
        known = lead(self, log, host, known);
      } catch (Baton.Died e) {
        known = LogState.EMPTY;
        born = false;
      } catch (IOException e) {
        // The storage failed: the host stands for election again.
      }
      host.landDelayed();
    }
    workingSdms--;
  }

  /** One term; returns the host's state after the term. */
  private LogState lead(Baton.Actor self, CommitLog log, HostileStorage.Host host, LogState known)
      throws IOException {
    host.disturb(random);
    if (!(log.beginTerm(known, Contender.NOW) instanceof Outcome.Committed begun)) {
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
      host.disturb(random);
      Outcome outcome;
      try {
        outcome = log.commit(state, entries, Contender.NOW);
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
        checkpoint(self, host, state);
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

  /** Fresh requests and repeated ones, without those that the state can answer already. */
  private List<Entry> entries(LogState state) {
    Map<String, Entry> entries = new HashMap<>();
    int count = 1 + random.nextInt(ENTRIES_MAX);
    for (int i = 0; i < count; i++) {
      boolean repeat = !repeats.isEmpty() && random.nextBoolean();
      String attempt = "attempt" + attempts++;
      String requestId = repeat ? repeats.get(random.nextInt(repeats.size())) : attempt;
      Reply earlier = state.repository().requests().find(requestId);
      if (earlier == null) {
        entries.put(requestId, Contender.entry(state, requestId, attempt));
      } else {
        truth.checkAcknowledged(requestId, earlier);
      }
    }
    return List.copyOf(entries.values());
  }

  private void checkpoint(Baton.Actor self, HostileStorage.Host host, LogState state) {
    if (random.nextInt(6) == 0) {
      host.spoilNextCheckpoint();
    }
    try {
      new Checkpointer(host.store()).checkpoint(state);
    } catch (IOException e) {
      self.step("no checkpoint: " + e.getMessage());
    }
  }

  private void follow(Baton.Actor self) throws IOException {
    HostileStorage.Host host = storage.host("reader", self::step);
    LogState seen = LogState.EMPTY;
    boolean born = false;
    while (workingSdms > 0) {
      try {
        if (!born) {
          host.beginLife();
          born = true;
        }
        LogReader reader = reader(self, host.store());
        LogState next = random.nextInt(4) == 0 ? reader.load() : reader.catchUp(seen);
        truth.checkSeen(next);
        if (next.sequence() < seen.sequence()) {
          throw new AssertionError("the log became shorter");
        }
        seen = next;
        self.step("rests");
      } catch (Baton.Died e) {
        seen = LogState.EMPTY;
        born = false;
      }
    }
  }

  private static LogReader reader(Baton.Actor self, SlotStore store) {
    return new LogReader(store, () -> self.step("waits"));
  }
}
