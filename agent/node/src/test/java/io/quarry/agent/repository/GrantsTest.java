package io.quarry.agent.repository;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.FixType;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.plan.CreateVirtualDisk;
import io.quarry.coordinator.plan.FailFix;
import io.quarry.coordinator.plan.FinishMend;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.GrantFixes;
import io.quarry.coordinator.plan.RemoveImage;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.Transaction;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class GrantsTest {
  private static final Worker DEAD = new Worker("dead", "dead-1");
  private static final Worker LIVE = new Worker("live", "live-1");
  private static final Worker OTHER = new Worker("other", "other-1");
  private static final int MANY = 1_000;

  private final List<GrantFixes> granted = new ArrayList<>();
  private Set<Worker> hosts = Set.of(LIVE);
  private Instant now = Instant.EPOCH;
  private RepositoryState state = RepositoryState.EMPTY;
  private boolean clockDoubtful;
  private boolean storageAnswers = true;
  private long nanos;
  private final Grants grants =
      new Grants(
          () -> hosts,
          () -> storageAnswers,
          () -> nanos,
          () -> now,
          () -> clockDoubtful,
          this::commit);

  @Test
  void fixesOfADeadHostAreGrantedToLiveHostsInFewCommits() throws Exception {
    hosts = Set.of(LIVE, OTHER);
    for (int i = 0; i < MANY; i++) {
      disk("d" + i, DEAD);
    }
    grants.give(state);
    assertThat(granted).hasSize(2);
    Map<Worker, Integer> given =
        granted.stream().collect(Collectors.toMap(GrantFixes::worker, one -> one.epochs().size()));
    assertThat(given.get(LIVE)).isEqualTo(given.get(OTHER)).isPositive();

    grants.give(state);
    assertThat(granted).as("both hosts have enough to do").hasSize(2);
  }

  @Test
  void fixOfALiveHostStaysThere() throws Exception {
    hosts = Set.of(LIVE, OTHER);
    disk("d1", LIVE);
    grants.give(state);
    assertThat(granted).isEmpty();
  }

  private void look(int times) throws InterruptedException {
    for (int i = 0; i < times; i++) {
      nanos += Duration.ofSeconds(1).toNanos();
      grants.give(state);
    }
  }

  @Test
  void fixThatALiveHostDelaysIsGrantedToAnother() throws Exception {
    hosts = Set.of(LIVE, OTHER);
    disk("d1", LIVE);
    look(6);
    assertThat(granted).isEmpty();
    look(1);
    assertThat(granted).containsExactly(grant(OTHER, "d1", 1));
  }

  /** On slow storage 27 of 88 light mends were granted a second time. */
  @Test
  void hostIsNotBlamedForAStorageThatHangs() throws Exception {
    hosts = Set.of(LIVE, OTHER);
    disk("d1", LIVE);
    look(5);
    storageAnswers = false;
    look(20);
    storageAnswers = true;
    look(6);
    assertThat(granted).isEmpty();
    look(1);
    assertThat(granted).containsExactly(grant(OTHER, "d1", 1));
  }

  /** The commits of an SDM that waits for the storage delay its next look. */
  @Test
  void timeWithoutALookDoesNotCount() throws Exception {
    hosts = Set.of(LIVE, OTHER);
    disk("d1", LIVE);
    look(1);
    nanos += Duration.ofMinutes(1).toNanos();
    look(5);
    assertThat(granted).isEmpty();
  }

  @Test
  void failedFixWaitsForItsPause() throws Exception {
    disk("d1", LIVE);
    plan(new FailFix(FixState.mendId("volume-d1"), "boom"));
    grants.give(state);
    assertThat(granted).isEmpty();

    now = now.plus(Duration.ofSeconds(1));
    grants.give(state);
    assertThat(granted).containsExactly(grant(LIVE, "d1", 1));
  }

  /** Case 12.25: a host two hours ahead emptied the trash. */
  @Test
  void trashWaitsWhileTheClockIsInDoubt() throws Exception {
    disk("d1", LIVE);
    plan(new FinishMend(FixState.mendId("volume-d1"), "volume-d1", 1, "volume-d1.1.raw"));
    plan(new RemoveImage("d1", true, Duration.ofHours(1), false));
    now = now.plus(Duration.ofHours(2));
    clockDoubtful = true;
    grants.give(state);
    assertThat(granted).isEmpty();

    clockDoubtful = false;
    now = now.plus(Duration.ofSeconds(1));
    grants.give(state);
    assertThat(granted).hasSize(1);
  }

  @Test
  void fixWithoutAHolderIsGranted() throws Exception {
    disk("d1", null);
    grants.give(state);
    assertThat(granted).containsExactly(grant(LIVE, "d1", 0));
  }

  @Test
  void aRefusalOfTheSdmIsNoFailure() throws Exception {
    disk("d1", null);
    Grants refused =
        new Grants(
            () -> hosts,
            () -> true,
            () -> 0,
            () -> now,
            () -> false,
            request ->
                CompletableFuture.failedFuture(
                    new StorageException(ErrorCode.SDM_UNAVAILABLE, "no", "r", "wait")));
    refused.give(state);
    assertThat(state.work().toGrant(FixType.MEND)).hasSize(1);
  }

  private static GrantFixes grant(Worker to, String disk, long epoch) {
    return new GrantFixes(to, Map.of(FixState.mendId("volume-" + disk), epoch));
  }

  private void disk(String id, @Nullable Worker holder) {
    plan(
        new CreateVirtualDisk(
            id,
            "volume-" + id,
            512,
            null,
            null,
            Strategy.SPACE,
            true,
            JsonNodeFactory.instance.objectNode(),
            holder));
  }

  private CompletableFuture<Reply> commit(Request request) {
    granted.add((GrantFixes) request);
    return CompletableFuture.completedFuture(plan(request));
  }

  private Reply plan(Request request) {
    Transaction transaction = new Transaction(state, 1, now);
    Reply reply = request.plan(transaction);
    state = transaction.state();
    return reply;
  }
}
