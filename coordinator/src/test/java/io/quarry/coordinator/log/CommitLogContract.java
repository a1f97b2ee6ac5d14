package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.coordinator.log.CommitLog.Outcome;
import io.quarry.coordinator.log.CommitLog.SupersededException;
import io.quarry.coordinator.log.HostileStorage.Fault;
import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What an SDM knows after each fault of any store. */
public interface CommitLogContract {
  /** A storage with a new log. */
  HostileStorage storage() throws IOException;

  private LogHosts hosts() throws IOException {
    return new LogHosts(storage());
  }

  @Test
  default void termBeginsWithARecordOfItsOwn() throws Exception {
    LogHosts hosts = hosts();
    Contender a = Contender.leading(hosts.store(), "a", 1);
    assertThat(hosts.fresh().position())
        .isEqualTo(new Position(1, a.state.position().hash(), 1, "a"));
    Contender b = new Contender(hosts.store(), "b");
    assertThat(b.lead()).isInstanceOf(Outcome.Committed.class);
    assertThat(hosts.fresh().position().term()).isEqualTo(2);
    assertThat(hosts.fresh().position().writer()).isEqualTo("b");
  }

  @Test
  default void committedStateIsWhatAFreshReaderSees() throws Exception {
    LogHosts hosts = hosts();
    Contender a = Contender.leading(hosts.store(), "a", 1);
    assertThat(a.commit("r1", "r2")).isInstanceOf(Outcome.Committed.class);
    assertThat(Fingerprint.of(hosts.fresh())).isEqualTo(Fingerprint.of(a.state));
    assertThat(hosts.store().readHead()).hasValue(2);
  }

  @Test
  default void ownRecordIsKnownAgainAfterALostReply() throws Exception {
    LogHosts hosts = hosts();
    HostileStorage.Host host = hosts.host();
    WatchedStore store = new WatchedStore(host.store());
    Contender a = Contender.leading(store.store(), "a", 3);
    host.nextWrites(Fault.LOST_REPLY);
    assertThat(a.commit("r1")).isInstanceOf(Outcome.Committed.class);
    assertThat(store.forced()).contains(Names.record(4));
    assertThat(hosts.fresh().sequence()).isEqualTo(4);
    assertThat(Fingerprint.of(hosts.fresh())).isEqualTo(Fingerprint.of(a.state));
  }

  @Test
  default void ownTermRecordIsKnownAgainAfterALostReply() throws Exception {
    LogHosts hosts = hosts();
    HostileStorage.Host host = hosts.host();
    Contender.leading(host.store(), "a", 1);
    host.nextWrites(Fault.LOST_REPLY);
    assertThat(new Contender(host.store(), "next").lead()).isInstanceOf(Outcome.Committed.class);
    assertThat(hosts.fresh().sequence()).isEqualTo(2);
  }

  @Test
  default void readErrorAfterThePutIsSettled() throws Exception {
    LogHosts hosts = hosts();
    HostileStorage.Host host = hosts.host();
    Contender a = Contender.leading(host.store(), "a", 3);
    host.failReads(1);
    assertThat(a.commit("r1")).isInstanceOf(Outcome.Committed.class);
    assertThat(Fingerprint.of(hosts.fresh())).isEqualTo(Fingerprint.of(a.state));
  }

  @Test
  default void unknownOutcomeIsSettledByANoOp() throws Exception {
    LogHosts hosts = hosts();
    HostileStorage.Host host = hosts.host();
    Contender a = Contender.leading(host.store(), "a", 3);
    host.nextWrites(Fault.LATE);
    assertThat(a.commit("r1")).isInstanceOf(Outcome.NotCommitted.class);
    Fingerprint before = Fingerprint.of(hosts.fresh());
    assertThat(hosts.fresh().sequence()).isEqualTo(4);
    assertThat(hosts.committed("r1")).isFalse();
    host.landDelayed();
    assertThat(Fingerprint.of(hosts.fresh())).isEqualTo(before);
  }

  @ParameterizedTest
  @EnumSource(
      value = Fault.class,
      names = {"LOST_REPLY", "LATE"})
  default void outcomeStaysUnknownWhenTheNoOpFailsToo(Fault second) throws Exception {
    HostileStorage.Host host = hosts().host();
    Contender a = Contender.leading(host.store(), "a", 3);
    host.nextWrites(Fault.LATE, second);
    assertThat(a.commit("r1")).isInstanceOf(Outcome.Unknown.class);
  }

  @Test
  default void repeatLearnsAnUnknownOutcome() throws Exception {
    LogHosts hosts = hosts();
    HostileStorage.Host host = hosts.host();
    Contender a = Contender.leading(host.store(), "a", 3);
    host.nextWrites(Fault.LATE, Fault.LATE);
    assertThat(a.commit("r1")).isInstanceOf(Outcome.Unknown.class);
    host.landDelayed();
    Contender b = new Contender(hosts.store(), "b");
    if (b.lead() instanceof Outcome.NotCommitted) {
      // The first try has found the record.
      b.lead();
    }
    assertThat(b.state.repository().requests().find("r1"))
        .isEqualTo(a.entries(a.state, "r1").getFirst().reply());
  }

  @Test
  default void supersededSdmLearnsItAtItsNextCommit() throws Exception {
    LogHosts hosts = hosts();
    Contender a = Contender.leading(hosts.store(), "a", 3);
    Contender b = new Contender(hosts.store(), "b");
    b.lead();
    assertThat(a.commit("r1"))
        .isInstanceOfSatisfying(
            Outcome.NotCommitted.class,
            not -> assertThat(not.cause()).isInstanceOf(SupersededException.class));
    assertThat(hosts.committed("r1")).isFalse();
  }

  @Test
  default void lostReplyIsSettledAlthoughAnotherSdmHasCommitted() throws Exception {
    LogHosts hosts = hosts();
    HostileStorage.Host host = hosts.host();
    WatchedStore paused = new WatchedStore(host.store());
    Contender a = Contender.leading(paused.store(), "a", 3);
    paused.pauseBefore("putIfAbsent", Names.record(4), 2, () -> goFarOn(hosts));
    host.nextWrites(Fault.LOST_REPLY);
    assertThat(a.commit("r1")).isInstanceOf(Outcome.Committed.class);
    assertThat(hosts.committed("r1")).isTrue();
    assertThat(paused.forced()).contains(Names.record(hosts.fresh().sequence()));
  }

  /** Another SDM takes over and commits, and a checkpoint frees the records before. */
  static void goFarOn(LogHosts hosts) {
    try {
      Contender other = new Contender(hosts.store(), "other");
      other.lead();
      other.commit("other1");
      other.commit("other2");
      other.commit("other3");
      other.checkpoint();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  default void requestRepeatedToAnotherSdmDoesNotSpeakForTheRestOfTheRecord() throws Exception {
    LogHosts hosts = hosts();
    Contender a = Contender.leading(hosts.store(), "a", 3);
    Contender b = new Contender(hosts.store(), "b");
    b.state = a.state;
    b.commit("r1", "r3");
    assertThat(a.commit("r1", "r2")).isInstanceOf(Outcome.Unknown.class);
    assertThat(hosts.committed("r2")).isFalse();
  }

  @Test
  default void requestCommittedByAnotherSdmIsNotReportedAsNotCommitted() throws Exception {
    LogHosts hosts = hosts();
    Contender a = Contender.leading(hosts.store(), "a", 3);
    Contender b = new Contender(hosts.store(), "b");
    b.lead();
    b.commit("r1");
    assertThat(a.commit("r1")).isInstanceOf(Outcome.Unknown.class);
  }

  @Test
  default void clockThatGoesBackwardsChangesNothing() throws Exception {
    LogHosts hosts = hosts();
    Contender a = Contender.leading(hosts.store(), "a", 3);
    for (int day = 3; day > 0; day--) {
      var before = Contender.NOW.minus(day, ChronoUnit.DAYS);
      Outcome outcome = a.log.commit(a.state, a.entries(a.state, "r" + day), before);
      a.state = ((Outcome.Committed) outcome).state();
    }
    Contender b = new Contender(hosts.store(), "b");
    b.state = a.state;
    assertThat(b.log.beginTerm(b.state, Instant.EPOCH)).isInstanceOf(Outcome.Committed.class);
    assertThat(hosts.fresh().position().term()).isEqualTo(2);
    assertThat(hosts.fresh().sequence()).isEqualTo(7);
  }
}
