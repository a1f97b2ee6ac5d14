package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.coordinator.log.CommitLog.Outcome;
import io.quarry.coordinator.log.CommitLog.SupersededException;
import io.quarry.coordinator.log.MemorySlotStore.PutFault;
import io.quarry.coordinator.plan.RecentRequests;
import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CommitLogTest {
  private final MemoryDisk disk = new MemoryDisk();
  private final MemorySlotStore store = new MemorySlotStore(disk);

  private LogState fresh() throws IOException {
    return new LogReader(new MemorySlotStore(disk)).load();
  }

  private boolean committed(String requestId) throws IOException {
    return fresh().repository().requests().find(requestId) != null;
  }

  @Test
  void termBeginsWithARecordOfItsOwn() throws Exception {
    Contender a = Contender.leading(store, "a", 1);
    assertThat(fresh().position()).isEqualTo(new Position(1, a.state.position().hash(), 1, "a"));
    Contender b = new Contender(new MemorySlotStore(disk), "b");
    assertThat(b.lead()).isInstanceOf(Outcome.Committed.class);
    assertThat(fresh().position().term()).isEqualTo(2);
    assertThat(fresh().position().writer()).isEqualTo("b");
  }

  @Test
  void termIsNotBuiltOverAMissingRecordThatTheHeadDoesNotKnow() throws Exception {
    Contender a = Contender.leading(store, "a", 3);
    Contender b = new Contender(new MemorySlotStore(disk), "b");
    b.state = a.state;
    a.commit("r1");
    a.commit("r2");
    disk.delete(Names.record(4));
    store.writeHead(3);
    assertThatThrownBy(b::lead)
        .isInstanceOf(LogDamagedException.class)
        .hasMessageContaining(Names.record(4));
    assertThat(store.read(Names.record(4))).isNull();
  }

  @Test
  void termFirstForcesTheRecordsItBuildsOn() throws Exception {
    Contender.leading(store, "a", 3);
    MemorySlotStore next = new MemorySlotStore(disk);
    next.nextPuts(PutFault.BEFORE_LINK);
    assertThat(new Contender(next, "b").lead()).isInstanceOf(Outcome.NotCommitted.class);
    assertThat(next.forced()).containsExactly(Names.record(3));
  }

  @Test
  void committedStateIsWhatAFreshReaderSees() throws Exception {
    Contender a = Contender.leading(store, "a", 1);
    assertThat(a.commit("r1", "r2")).isInstanceOf(Outcome.Committed.class);
    assertThat(Fingerprint.of(fresh())).isEqualTo(Fingerprint.of(a.state));
    assertThat(store.readHead()).hasValue(2);
  }

  @Test
  void ownRecordIsKnownAgainAfterALostReply() throws Exception {
    Contender a = Contender.leading(store, "a", 3);
    store.nextPuts(PutFault.LOST_REPLY);
    assertThat(a.commit("r1")).isInstanceOf(Outcome.Committed.class);
    assertThat(store.forced()).contains(Names.record(4));
    assertThat(fresh().sequence()).isEqualTo(4);
    assertThat(Fingerprint.of(fresh())).isEqualTo(Fingerprint.of(a.state));
  }

  @Test
  void ownRecordThatMetItselfIsForcedBeforeItCounts() throws Exception {
    Contender a = Contender.leading(store, "a", 3);
    store.nextPuts(PutFault.SENT_TWICE);
    assertThat(a.commit("r1")).isInstanceOf(Outcome.Committed.class);
    assertThat(store.forced()).contains(Names.record(4));
    assertThat(Fingerprint.of(fresh())).isEqualTo(Fingerprint.of(a.state));
  }

  @Test
  void ownTermRecordIsKnownAgainAfterALostReply() throws Exception {
    Contender a = new Contender(store, "a");
    store.nextPuts(PutFault.LOST_REPLY);
    assertThat(a.lead()).isInstanceOf(Outcome.Committed.class);
    assertThat(fresh().sequence()).isEqualTo(1);
  }

  @Test
  void readErrorAfterTheLinkIsSettled() throws Exception {
    Contender a = Contender.leading(store, "a", 3);
    store.failReads(1);
    assertThat(a.commit("r1")).isInstanceOf(Outcome.Committed.class);
    assertThat(Fingerprint.of(fresh())).isEqualTo(Fingerprint.of(a.state));
  }

  @Test
  void putThatNeverStartedLeavesTheNameFree() throws Exception {
    Contender a = Contender.leading(store, "a", 3);
    store.nextPuts(PutFault.BEFORE_LINK);
    assertThat(a.commit("r1")).isInstanceOf(Outcome.NotCommitted.class);
    assertThat(a.commit("r2")).isInstanceOf(Outcome.Committed.class);
    assertThat(fresh().sequence()).isEqualTo(4);
    assertThat(committed("r1")).isFalse();
  }

  @Test
  void unknownOutcomeIsSettledByANoOp() throws Exception {
    Contender a = Contender.leading(store, "a", 3);
    store.nextPuts(PutFault.DELAYED_LINK);
    assertThat(a.commit("r1")).isInstanceOf(Outcome.NotCommitted.class);
    assertThat(fresh().sequence()).isEqualTo(4);
    assertThat(committed("r1")).isFalse();
  }

  @Test
  void linkThatLandsAfterTheNoOpChangesNothing() throws Exception {
    Contender a = Contender.leading(store, "a", 3);
    store.nextPuts(PutFault.DELAYED_LINK);
    a.commit("r1");
    Fingerprint before = Fingerprint.of(fresh());
    store.landDelayed();
    assertThat(Fingerprint.of(fresh())).isEqualTo(before);
  }

  @ParameterizedTest
  @EnumSource(
      value = PutFault.class,
      names = {"BEFORE_LINK", "LOST_REPLY", "DELAYED_LINK"})
  void outcomeStaysUnknownWhenTheNoOpFailsToo(PutFault second) throws Exception {
    Contender a = Contender.leading(store, "a", 3);
    store.nextPuts(PutFault.DELAYED_LINK, second);
    assertThat(a.commit("r1")).isInstanceOf(Outcome.Unknown.class);
  }

  @Test
  void repeatLearnsAnUnknownOutcome() throws Exception {
    Contender a = Contender.leading(store, "a", 3);
    store.nextPuts(PutFault.DELAYED_LINK, PutFault.BEFORE_LINK);
    assertThat(a.commit("r1")).isInstanceOf(Outcome.Unknown.class);
    store.landDelayed();
    Contender b = new Contender(new MemorySlotStore(disk), "b");
    b.lead();
    assertThat(b.state.repository().requests().find("r1"))
        .isEqualTo(a.entries(a.state, "r1").getFirst().reply());
  }

  @Test
  void supersededSdmLearnsItAtItsNextCommit() throws Exception {
    Contender a = Contender.leading(store, "a", 3);
    Contender b = new Contender(new MemorySlotStore(disk), "b");
    b.lead();
    assertThat(a.commit("r1"))
        .isInstanceOfSatisfying(
            Outcome.NotCommitted.class,
            not -> assertThat(not.cause()).isInstanceOf(SupersededException.class));
    assertThat(committed("r1")).isFalse();
  }

  @Test
  void lostReplyIsSettledAlthoughAnotherSdmHasCommitted() throws Exception {
    MemorySlotStore paused = pausing("put " + Names.record(4), 2, this::goFarOn);
    Contender a = Contender.leading(paused, "a", 3);
    paused.nextPuts(PutFault.LOST_REPLY);
    assertThat(a.commit("r1")).isInstanceOf(Outcome.Committed.class);
    assertThat(committed("r1")).isTrue();
    assertThat(paused.forced()).contains(Names.record(fresh().sequence()));
  }

  @Test
  void ownTermThatLandedLateIsForcedBeforeItCounts() throws Exception {
    MemorySlotStore[] stores = new MemorySlotStore[1];
    stores[0] = pausing("put " + Names.record(1), 3, () -> stores[0].landDelayed());
    Contender a = new Contender(stores[0], "a");
    stores[0].nextPuts(PutFault.DELAYED_LINK, PutFault.DELAYED_LINK);
    assertThat(a.lead()).isInstanceOf(Outcome.Unknown.class);
    assertThat(a.lead()).isInstanceOf(Outcome.Committed.class);
    assertThat(fresh().sequence()).isEqualTo(1);
    assertThat(stores[0].forced()).contains(Names.record(1));
  }

  @Test
  void termIsNotBuiltOnARecordInAFreedName() throws Exception {
    Contender a = Contender.leading(store, "a", 2);
    Contender zombie = new Contender(pausing("put " + Names.record(3), 1, this::goFarOn), "zombie");
    zombie.state = a.state;
    MemorySlotStore behind =
        pausing("read " + Names.record(3), 1, () -> assertRefused(zombie, "r1"));
    behind.freezeListing();
    Contender late = new Contender(behind, "late");
    late.state = a.state;
    assertThat(late.lead()).isInstanceOf(Outcome.NotCommitted.class);
  }

  @Test
  void requestRepeatedToAnotherSdmDoesNotSpeakForTheRestOfTheRecord() throws Exception {
    Contender a = Contender.leading(store, "a", 3);
    Contender b = new Contender(new MemorySlotStore(disk), "b");
    b.state = a.state;
    b.commit("r1", "r3");
    assertThat(a.commit("r1", "r2")).isInstanceOf(Outcome.Unknown.class);
    assertThat(committed("r2")).isFalse();
  }

  @Test
  void requestCommittedByAnotherSdmIsNotReportedAsNotCommitted() throws Exception {
    Contender a = Contender.leading(store, "a", 3);
    Contender b = new Contender(new MemorySlotStore(disk), "b");
    b.lead();
    b.commit("r1");
    assertThat(a.commit("r1")).isInstanceOf(Outcome.Unknown.class);
  }

  @Test
  void clockThatGoesBackwardsChangesNothing() throws Exception {
    Contender a = Contender.leading(store, "a", 3);
    for (int day = 3; day > 0; day--) {
      var before = Contender.NOW.minus(day, ChronoUnit.DAYS);
      Outcome outcome = a.log.commit(a.state, a.entries(a.state, "r" + day), before);
      a.state = ((Outcome.Committed) outcome).state();
    }
    Contender b = new Contender(new MemorySlotStore(disk), "b");
    b.state = a.state;
    assertThat(b.log.beginTerm(b.state, Instant.EPOCH)).isInstanceOf(Outcome.Committed.class);
    assertThat(fresh().position().term()).isEqualTo(2);
    assertThat(fresh().sequence()).isEqualTo(7);
  }

  @Test
  void requestIdsAreRememberedAcrossCheckpointsAndGenerations() throws Exception {
    Contender a = Contender.leading(store, "a", 2);
    int group = RecentRequests.GENERATION_REQUESTS / 10;
    a.commit("first");
    for (int round = 0; round < 20; round++) {
      assertThat(a.state.repository().requests().find("first")).isNotNull();
      String prefix = "r" + round + ".";
      a.commit(IntStream.range(0, group).mapToObj(i -> prefix + i).toArray(String[]::new));
    }
    a.checkpoint();
    RecentRequests requests = fresh().repository().requests();
    assertThat(requests.find("first")).isNull();
    assertThat(requests.remembers(3)).isFalse();
    assertThat(requests.find("r10.1")).isNotNull();
    assertThat(Fingerprint.of(fresh())).isEqualTo(Fingerprint.of(a.state));
  }

  /** Before that occurrence of the step the host pauses, and {@code meanwhile} runs. */
  private MemorySlotStore pausing(String step, int occurrence, Runnable meanwhile) {
    return new MemorySlotStore(
        disk,
        new Consumer<>() {
          private int count;

          @Override
          public void accept(String what) {
            if (what.equals(step) && ++count == occurrence) {
              meanwhile.run();
            }
          }
        });
  }

  private void assertRefused(Contender candidate, String requestId) {
    try {
      assertThat(candidate.commit(requestId)).isInstanceOf(Outcome.NotCommitted.class);
      assertThat(committed(requestId)).isFalse();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Another SDM takes over and commits, and a checkpoint frees the records before. */
  private void goFarOn() {
    try {
      Contender other = new Contender(new MemorySlotStore(disk), "other");
      other.lead();
      other.commit("other1");
      other.commit("other2");
      other.commit("other3");
      other.checkpoint();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
