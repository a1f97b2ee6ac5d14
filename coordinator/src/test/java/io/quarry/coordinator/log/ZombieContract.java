package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.coordinator.log.HostileStorage.Fault;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * An SDM pauses before its put, while other SDMs commit and write checkpoints. That SDM then
 * acknowledges nothing that a fresh reader does not see, and damages nothing.
 */
public interface ZombieContract {
  /** A host that wins a slot, leads and puts a record writes so often. */
  int WRITES_MAX = 6;

  int COMMITS_MAX = 4;

  /** A storage with a new log. */
  HostileStorage storage() throws IOException;

  @ParameterizedTest
  @EnumSource(Fault.class)
  default void zombieAtAnyDistanceAcknowledgesNothingThatIsNotThere(Fault fault) throws Exception {
    for (int writes = 0; writes < WRITES_MAX; writes++) {
      for (int commits = 0; commits <= COMMITS_MAX; commits++) {
        for (int checkpoint = 0; checkpoint <= commits; checkpoint++) {
          String what =
              "write %d, checkpoint after %d of %d".formatted(writes, checkpoint, commits);
          Fault[] faults = new Fault[writes + 1];
          Arrays.fill(faults, Fault.NONE);
          faults[writes] = fault;
          ZombieHistory history = new ZombieHistory(storage());
          Contender zombie = history.zombie("zombie", faults);
          history.goOn(commits, List.of(checkpoint));
          history.checkTruth(what, zombie, "z1");
          history.checkTruth(what + ", again", zombie, "z2");
          history.checkStillWorks(what);
        }
      }
    }
  }

  @Test
  default void checkpointFarAheadChangesNothing() throws Exception {
    ZombieHistory history = new ZombieHistory(storage());
    Contender zombie = history.zombie("zombie");
    history.goOn(200, List.of(50, 100, 199));
    history.checkTruth("far ahead", zombie, "z1");
    history.checkStillWorks("far ahead");
  }

  @Test
  default void slotOverwrittenByAnotherZombieIsNotTakenForTheKnownOne() throws Exception {
    for (int commits = 2; commits <= 5; commits++) {
      for (boolean olderFirst : new boolean[] {true, false}) {
        String what = commits + " commits, older zombie first: " + olderFirst;
        ZombieHistory history = new ZombieHistory(storage());
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
  default void zombieThatWasTheWriterOfTheSlotBeforeIsNoBetter() throws Exception {
    ZombieHistory history = new ZombieHistory(storage());
    Contender zombie = history.leader;
    history.goOn(4, List.of(3));
    history.checkTruth("writer of the slot before", zombie, "z1");
    history.checkStillWorks("writer of the slot before");
  }

  @Test
  default void checkpointOfAZombieDoesNoHarm() throws Exception {
    ZombieHistory history = new ZombieHistory(storage());
    Contender zombie = history.zombie("zombie");
    Contender next = history.goOn(4, List.of(2));
    zombie.checkpoint();
    LogState after = history.hosts.fresh();
    assertThat(Fingerprint.of(after)).isEqualTo(Fingerprint.of(next.state));
    history.checkStillWorks("late checkpoint");
  }
}
