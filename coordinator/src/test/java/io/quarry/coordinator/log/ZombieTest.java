package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.coordinator.log.CommitLog.Outcome;
import io.quarry.coordinator.log.MemorySlotStore.PutFault;
import io.quarry.coordinator.plan.Reply;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * An SDM pauses before its link, while other SDMs commit and its names are freed. That SDM then
 * acknowledges nothing that a fresh reader does not see, and damages nothing.
 */
class ZombieTest {
  private static final int KNOWN = 5;

  private static final class History {
    final MemoryDisk disk = new MemoryDisk();
    final Contender leader;

    History() throws IOException {
      leader = Contender.leading(new MemorySlotStore(disk), "first", KNOWN);
    }

    /** An SDM that knows the log as the leader knows it now. */
    Contender zombie(String name, PutFault... faults) {
      MemorySlotStore store = new MemorySlotStore(disk);
      store.nextPuts(faults);
      Contender zombie = new Contender(store, name);
      zombie.state = leader.state;
      return zombie;
    }

    /** Another SDM takes over and writes checkpoints after some of its commits. */
    Contender goOn(int commits, List<Integer> checkpoints) throws IOException {
      Contender next = new Contender(new MemorySlotStore(disk), "next");
      next.state = leader.state;
      next.lead();
      for (int i = 0; i < commits; i++) {
        next.commit("next" + i);
        if (checkpoints.contains(i)) {
          next.checkpoint();
        }
      }
      return next;
    }

    void checkTruth(String what, Contender zombie, String requestId) throws IOException {
      LogState before = new LogReader(new MemorySlotStore(disk)).load();
      Outcome outcome = zombie.commit(requestId);
      LogState after = new LogReader(new MemorySlotStore(disk)).load();
      @Nullable Reply reply = after.repository().requests().find(requestId);
      switch (outcome) {
        case Outcome.Committed committed -> {
          assertThat(reply).as(what).isNotNull();
          assertThat(Fingerprint.of(committed.state())).as(what).isEqualTo(Fingerprint.of(after));
        }
        case Outcome.NotCommitted not -> assertThat(reply).as(what).isNull();
        case Outcome.Unknown unknown -> {}
      }
      if (reply == null) {
        assertThat(Fingerprint.of(after)).as(what).isEqualTo(Fingerprint.of(before));
      }
    }

    void checkStillWorks(String what) throws IOException {
      Contender last = new Contender(new MemorySlotStore(disk), "last");
      assertThat(last.lead()).as(what).isInstanceOf(Outcome.Committed.class);
      assertThat(last.commit("last")).as(what).isInstanceOf(Outcome.Committed.class);
      last.checkpoint();
      LogState after = new LogReader(new MemorySlotStore(disk)).load();
      assertThat(Fingerprint.of(after)).as(what).isEqualTo(Fingerprint.of(last.state));
    }
  }

  @Test
  void zombieAtAnyDistanceAcknowledgesNothingThatIsNotThere() throws Exception {
    for (PutFault fault : PutFault.values()) {
      for (int commits = 0; commits <= 6; commits++) {
        for (int checkpoint = 0; checkpoint <= commits; checkpoint++) {
          String what = fault + ", checkpoint after " + checkpoint + " of " + commits;
          History history = new History();
          Contender zombie = history.zombie("zombie", fault);
          history.goOn(commits, List.of(checkpoint));
          history.checkTruth(what, zombie, "z1");
          history.checkTruth(what + ", again", zombie, "z2");
          history.checkStillWorks(what);
        }
      }
    }
  }

  @Test
  void checkpointFarAheadChangesNothing() throws Exception {
    History history = new History();
    Contender zombie = history.zombie("zombie");
    history.goOn(200, List.of(50, 100, 199));
    history.checkTruth("far ahead", zombie, "z1");
    history.checkStillWorks("far ahead");
  }

  @Test
  void slotOverwrittenByAnotherZombieIsNotTakenForTheKnownOne() throws Exception {
    for (int commits = 2; commits <= 5; commits++) {
      for (boolean olderFirst : new boolean[] {true, false}) {
        String what = commits + " commits, older zombie first: " + olderFirst;
        History history = new History();
        Contender older = history.zombie("older");
        history.leader.commit("known");
        Contender younger = history.zombie("younger");
        history.goOn(commits, List.of(commits - 1));
        history.checkTruth(what, olderFirst ? older : younger, "z1");
        history.checkTruth(what, olderFirst ? younger : older, "z2");
        history.checkTruth(what, older, "z3");
        history.checkTruth(what, younger, "z4");
        history.checkStillWorks(what);
      }
    }
  }

  @Test
  void zombieThatWasTheWriterOfTheSlotBeforeIsNoBetter() throws Exception {
    History history = new History();
    Contender zombie = history.leader;
    history.goOn(4, List.of(3));
    history.checkTruth("writer of the slot before", zombie, "z1");
    history.checkStillWorks("writer of the slot before");
  }

  @Test
  void checkpointOfAZombieDoesNoHarm() throws Exception {
    History history = new History();
    Contender zombie = history.zombie("zombie");
    Contender next = history.goOn(4, List.of(2));
    zombie.checkpoint();
    LogState after = new LogReader(new MemorySlotStore(history.disk)).load();
    assertThat(Fingerprint.of(after)).isEqualTo(Fingerprint.of(next.state));
    history.checkStillWorks("late checkpoint");
  }

  @Test
  void zombiesThatWakeDuringAVacuumAcknowledgeNothingThatIsNotThere() throws Exception {
    for (int pause = 1; pause <= KNOWN + 4; pause++) {
      for (boolean oldestFirst : new boolean[] {true, false}) {
        History history = new History();
        List<Contender> zombies = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          zombies.add(history.zombie("zombie" + i));
          history.leader.commit("known" + i);
        }
        List<Contender> waking = oldestFirst ? zombies : zombies.reversed();
        String what = "at deletion " + pause + ", oldest first: " + oldestFirst;
        new Checkpointer(new MemorySlotStore(history.disk)).checkpoint(history.leader.before);
        AtomicInteger deletions = new AtomicInteger(pause);
        MemorySlotStore slow =
            new MemorySlotStore(
                history.disk,
                step -> {
                  if (step.startsWith("delete") && deletions.decrementAndGet() == 0) {
                    waking.forEach(zombie -> check(history, what, zombie));
                  }
                });
        new Checkpointer(slow).checkpoint(history.leader.state);
        history.checkStillWorks(what);
      }
    }
  }

  private static void check(History history, String what, Contender zombie) {
    try {
      history.checkTruth(what, zombie, "by " + zombie.name);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void vacuumThatOverlooksANameFreesNoneAfterIt() throws Exception {
    History history = new History();
    Contender zombie = history.zombie("zombie");
    Contender next = history.goOn(4, List.of());
    new Checkpointer(new MemorySlotStore(history.disk)).checkpoint(next.before);
    MemorySlotStore overlooking = new MemorySlotStore(history.disk);
    overlooking.overlookOnce(Names.record(KNOWN));
    new Checkpointer(overlooking).checkpoint(next.state);
    history.checkTruth("overlooked", zombie, "z1");
    history.checkStillWorks("overlooked");
  }
}
