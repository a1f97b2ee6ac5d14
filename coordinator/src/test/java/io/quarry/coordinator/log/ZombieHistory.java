package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.coordinator.log.CommitLog.Outcome;
import io.quarry.coordinator.log.HostileStorage.Fault;
import io.quarry.coordinator.plan.Reply;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An SDM pauses before its put, while other SDMs commit. */
final class ZombieHistory {
  static final int KNOWN = 5;

  final LogHosts hosts;
  final Contender leader;

  ZombieHistory(HostileStorage storage) throws IOException {
    hosts = new LogHosts(storage);
    leader = Contender.leading(hosts.store(), "first", KNOWN);
  }

  /** An SDM that knows the log as the leader knows it now. */
  Contender zombie(String name, Fault... faults) throws IOException {
    HostileStorage.Host host = hosts.host();
    host.nextWrites(faults);
    Contender zombie = new Contender(host.store(), name);
    zombie.state = leader.state;
    return zombie;
  }

  /** Another SDM takes over and writes checkpoints after some of its commits. */
  Contender goOn(int commits, List<Integer> checkpoints) throws IOException {
    Contender next = new Contender(hosts.store(), "next");
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
    LogState before = hosts.fresh();
    Outcome outcome = zombie.commit(requestId);
    LogState after = hosts.fresh();
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
    Contender last = new Contender(hosts.store(), "last");
    assertThat(last.lead()).as(what).isInstanceOf(Outcome.Committed.class);
    assertThat(last.commit("last")).as(what).isInstanceOf(Outcome.Committed.class);
    last.checkpoint();
    LogState after = hosts.fresh();
    assertThat(Fingerprint.of(after)).as(what).isEqualTo(Fingerprint.of(last.state));
  }
}
