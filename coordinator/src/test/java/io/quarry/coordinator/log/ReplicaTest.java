package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.coordinator.thread.Supervisor;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ReplicaTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  private final MemoryDisk disk = new MemoryDisk();
  private final MemorySlotStore store = new MemorySlotStore(disk);
  private final WatchedStore watched = new WatchedStore(store);
  private final Supervisor supervisor = new Supervisor();
  private Contender sdm;
  private Replica replica;

  @BeforeEach
  void start() throws IOException {
    sdm = Contender.leading(new MemorySlotStore(disk), "a", 3);
    replica = new Replica("main", watched.store());
    replica.follow(supervisor);
  }

  @AfterEach
  void stop() {
    replica.close();
  }

  @Test
  void startsWithTheStateOfTheLog() {
    assertThat(Fingerprint.of(replica.state())).isEqualTo(Fingerprint.of(sdm.state));
  }

  @Test
  void followsCommitsOfOtherHosts() throws Exception {
    sdm.commit("r1");
    replica.hint(4);
    assertThat(atLeast(replica, 4, LONG).sequence()).isEqualTo(4);
    sdm.commit("r2");
    assertThat(replica.await(state -> state.sequence() >= 5, LONG).sequence()).isEqualTo(5);
  }

  @Test
  void readOfAtLeastWaitsForTheCommit() throws Exception {
    CompletableFuture<LogState> read =
        CompletableFuture.supplyAsync(() -> atLeast(replica, 4, LONG));
    sdm.commit("r1");
    replica.hint(4);
    assertThat(read.get(30, TimeUnit.SECONDS).sequence()).isGreaterThanOrEqualTo(4);
  }

  @Test
  void readOfAtLeastGivesTheLatestWhenTheTimeIsUp() {
    assertThat(atLeast(replica, 99, Duration.ofMillis(1)).sequence()).isEqualTo(3);
  }

  @Test
  void refreshIsAsNewAsTheCall() throws Exception {
    for (int i = 0; i < 20; i++) {
      sdm.commit("r" + i);
      assertThat(replica.refresh().sequence()).isEqualTo(sdm.state.sequence());
    }
  }

  @Test
  void answersRestOnForcedRecords() throws Exception {
    sdm.commit("r1");
    assertThat(replica.refresh().sequence()).isEqualTo(4);
    assertThat(watched.forced()).doesNotContain(Names.record(4));
    assertThat(replica.durable().sequence()).isEqualTo(4);
    assertThat(watched.forced()).contains(Names.record(4));
  }

  @Test
  void catchesUpAlthoughAVacuumHasLeftItBehind() throws Exception {
    store.failReads(1_000);
    for (int i = 0; i < 20; i++) {
      sdm.commit("r" + i);
    }
    sdm.checkpoint();
    sdm.commit("last");
    store.failReads(0);
    assertThat(Fingerprint.of(atLeast(replica, 24, LONG))).isEqualTo(Fingerprint.of(sdm.state));
  }

  @Test
  void readErrorsPass() throws Exception {
    store.failReads(2);
    replica.poke();
    Awaitility.await().until(() -> replica.trouble() != null);
    sdm.commit("r1");
    assertThat(atLeast(replica, 4, LONG).sequence()).isEqualTo(4);
    Awaitility.await().until(() -> replica.trouble() == null);
  }

  /**
   * Case 12.6: after a record that did not fit into memory, the host saw no more commits, with
   * health ok.
   */
  @Test
  void errorOfAReadIsTroubleAndPasses() throws Exception {
    AtomicBoolean tooLarge = new AtomicBoolean();
    MemorySlotStore limited =
        new MemorySlotStore(
            disk,
            step -> {
              if (tooLarge.get()) {
                throw new OutOfMemoryError("Required array size too large");
              }
            });
    try (Replica follower = new Replica("follower", limited)) {
      tooLarge.set(true);
      follower.follow(supervisor);
      sdm.commit("r1");
      follower.hint(4);
      Awaitility.await().until(() -> follower.trouble() instanceof OutOfMemoryError);
      tooLarge.set(false);
      Awaitility.await().until(() -> follower.trouble() == null);
      assertThat(atLeast(follower, 4, LONG).sequence()).isEqualTo(4);
      assertThat(supervisor.tallies())
          .anyMatch(tally -> tally.name().equals("replica-follower") && tally.failures() > 0);
      assertThat(supervisor.dead()).isEmpty();
    }
  }

  @Test
  void damageIsToldAndPassesWhenTheFileIsBack() throws Exception {
    sdm.commit("r1");
    sdm.commit("r2");
    byte[] whole = Objects.requireNonNull(disk.read(Names.record(5)));
    disk.overwrite(Names.record(5), new byte[] {1});
    replica.poke();
    Awaitility.await().until(() -> replica.unreadable() != null);
    assertThatThrownBy(() -> replica.refresh()).isInstanceOf(LogDamagedException.class);
    assertThat(replica.state().sequence()).isLessThan(5);
    disk.overwrite(Names.record(5), whole);
    replica.poke();
    Awaitility.await().until(() -> replica.unreadable() == null);
    assertThat(atLeast(replica, 5, LONG).sequence()).isEqualTo(5);
  }

  @Test
  void damagedFromTheStartIsAReplicaThatSaysSo() throws Exception {
    byte[] whole = Objects.requireNonNull(disk.read(Names.record(2)));
    disk.overwrite(Names.record(2), new byte[] {1});
    try (Replica damaged = new Replica("damaged", new MemorySlotStore(disk))) {
      damaged.follow(supervisor);
      assertThat(Objects.requireNonNull(damaged.unreadable()).file()).contains(Names.record(2));
      disk.overwrite(Names.record(2), whole);
      damaged.poke();
      assertThat(atLeast(damaged, 3, LONG).sequence()).isEqualTo(3);
    }
  }

  @Test
  void listenersHearOfStatesInOrder() throws Exception {
    List<LogState> states = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      sdm.commit("r" + i);
      states.add(sdm.state);
    }
    List<Long> heard = Collections.synchronizedList(new ArrayList<>());
    try (Replica told = new Replica("told", new MemorySlotStore(new MemoryDisk()))) {
      told.onChange(state -> heard.add(state.sequence()));
      List<Thread> tellers =
          List.of(
              Thread.ofPlatform().start(() -> states.forEach(told::advance)),
              Thread.ofPlatform().start(() -> states.forEach(told::advance)));
      for (Thread teller : tellers) {
        teller.join();
      }
    }
    assertThat(heard).isSorted().hasSize(2_000);
  }

  @Test
  void closingWakesWaitingCallers() throws Exception {
    CompletableFuture<LogState> read =
        CompletableFuture.supplyAsync(() -> atLeast(replica, 99, LONG));
    replica.close();
    assertThat(read.get(10, TimeUnit.SECONDS).sequence()).isEqualTo(3);
  }

  /** The state once it includes that commit; the latest state when the time is up. */
  private static LogState atLeast(Replica replica, long sequence, Duration timeout) {
    replica.hint(sequence);
    return replica.await(state -> state.sequence() >= sequence, timeout);
  }
}
