package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.coordinator.log.CommitLog.Outcome;
import io.quarry.coordinator.log.MemorySlotStore.PutFault;
import io.quarry.coordinator.plan.RecentRequests;
import java.io.IOException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

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
    store.nextPuts(PutFault.BEFORE_LINK);
    WatchedStore next = new WatchedStore(store);
    assertThat(new Contender(next.store(), "b").lead()).isInstanceOf(Outcome.NotCommitted.class);
    assertThat(next.forced()).containsExactly(Names.record(3));
  }

  @Test
  void ownRecordThatMetItselfIsForcedBeforeItCounts() throws Exception {
    WatchedStore watched = new WatchedStore(store);
    Contender a = Contender.leading(watched.store(), "a", 3);
    store.nextPuts(PutFault.SENT_TWICE);
    assertThat(a.commit("r1")).isInstanceOf(Outcome.Committed.class);
    assertThat(watched.forced()).contains(Names.record(4));
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
  void outcomeStaysUnknownWhenTheNoOpDoesNotStart() throws Exception {
    Contender a = Contender.leading(store, "a", 3);
    store.nextPuts(PutFault.DELAYED_LINK, PutFault.BEFORE_LINK);
    assertThat(a.commit("r1")).isInstanceOf(Outcome.Unknown.class);
  }

  @Test
  void ownTermThatLandedLateIsForcedBeforeItCounts() throws Exception {
    WatchedStore paused = new WatchedStore(store);
    paused.pauseBefore("putIfAbsent", Names.record(1), 3, store::landDelayed);
    Contender a = new Contender(paused.store(), "a");
    store.nextPuts(PutFault.DELAYED_LINK, PutFault.DELAYED_LINK);
    assertThat(a.lead()).isInstanceOf(Outcome.Unknown.class);
    assertThat(a.lead()).isInstanceOf(Outcome.Committed.class);
    assertThat(fresh().sequence()).isEqualTo(1);
    assertThat(paused.forced()).contains(Names.record(1));
  }

  @Test
  void termIsNotBuiltOnARecordInAFreedName() throws Exception {
    Contender a = Contender.leading(store, "a", 2);
    Contender zombie = new Contender(paused("putIfAbsent", this::goFarOn), "zombie");
    zombie.state = a.state;
    store.freezeListing();
    Contender late = new Contender(paused("read", () -> assertRefused(zombie, "r1")), "late");
    late.state = a.state;
    assertThat(late.lead()).isInstanceOf(Outcome.NotCommitted.class);
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

  /** Before its first such call about record 3 a host pauses. */
  private SlotStore paused(String call, Runnable meanwhile) {
    WatchedStore paused = new WatchedStore(call.equals("read") ? store : new MemorySlotStore(disk));
    paused.pauseBefore(call, Names.record(3), 1, meanwhile);
    return paused.store();
  }

  private void goFarOn() {
    CommitLogContract.goFarOn(new LogHosts(new MemoryStorage(disk)));
  }

  private void assertRefused(Contender candidate, String requestId) {
    try {
      assertThat(candidate.commit(requestId)).isInstanceOf(Outcome.NotCommitted.class);
      assertThat(committed(requestId)).isFalse();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
