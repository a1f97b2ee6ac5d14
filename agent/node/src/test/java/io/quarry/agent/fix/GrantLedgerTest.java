package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.repository.Repository;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.common.model.FixType;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.Position;
import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.FixState.Attempts;
import io.quarry.coordinator.plan.FixState.Grant;
import io.quarry.coordinator.plan.FixState.Schedule;
import io.quarry.coordinator.plan.FixState.Subject;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RequestId;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class GrantLedgerTest {
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");
  private static final FixState CLEAN = clean(NOON);

  private final Log log = new Log();
  private final GrantLedger ledger = new GrantLedger(new Backoff(Duration.ZERO, Duration.ZERO));

  private static FixState clean(Instant since) {
    return new FixState(
        FixState.cleanId("v"),
        new Subject(FixType.CLEAN, "image", "v", null, false),
        new Schedule(true, null, null),
        new Grant(1, new Worker("host", "life")),
        new Attempts(0, false, null),
        since);
  }

  private static LogState with(@Nullable FixState fix) {
    return fix == null
        ? LogState.EMPTY
        : new LogState(RepositoryState.EMPTY.apply(new Change.PutFix(fix)), Position.START);
  }

  /** A log whose end this host may not have read yet. */
  private static final class Log implements Repository {
    private LogState seen = with(CLEAN);
    private @Nullable LogState newest = with(CLEAN);

    @Override
    public String repoId() {
      return "main";
    }

    @Override
    public String key() {
      return "key";
    }

    @Override
    public RepositoryStorage storage() {
      throw new UnsupportedOperationException("only its log matters");
    }

    @Override
    public boolean responsive() {
      return newest != null;
    }

    @Override
    public LogState state() {
      return seen;
    }

    @Override
    public LogState refresh() throws IOException {
      if (newest == null) {
        throw new IOException("the storage does not answer");
      }
      seen = newest;
      return seen;
    }

    @Override
    public LogState atLeast(long commit) {
      return seen;
    }

    @Override
    public Reply commit(RequestId requestId, Request request) {
      throw new UnsupportedOperationException("nothing is committed here");
    }
  }

  @Test
  void isBegunOnce() {
    assertThat(ledger.begin(log, CLEAN)).isTrue();
    assertThat(ledger.begin(log, CLEAN)).isFalse();
  }

  @Test
  void secondGrantOfTheSameNameAndEpochIsBegun() {
    FixState again = clean(NOON.plusSeconds(1));
    assertThat(ledger.begin(log, CLEAN)).isTrue();
    log.newest = with(again);
    assertThat(ledger.end(log, CLEAN, false)).isFalse();
    assertThat(ledger.begin(log, again)).isTrue();
  }

  @Test
  void secondGrantThatComesAfterTheEndIsBegun() {
    assertThat(ledger.begin(log, CLEAN)).isTrue();
    log.newest = with(null);
    assertThat(ledger.end(log, CLEAN, false)).isFalse();
    assertThat(ledger.begin(log, clean(NOON.plusSeconds(1)))).isTrue();
  }

  @Test
  void grantThatStillStandsIsBegunAgain() {
    assertThat(ledger.begin(log, CLEAN)).isTrue();
    assertThat(ledger.end(log, CLEAN, false)).isTrue();
    assertThat(ledger.begin(log, CLEAN)).isTrue();
  }

  @Test
  void grantThatMayStillStandIsBegunAgain() {
    assertThat(ledger.begin(log, CLEAN)).isTrue();
    log.newest = null;
    assertThat(ledger.end(log, CLEAN, false)).isTrue();
    assertThat(ledger.begin(log, CLEAN)).isTrue();
  }

  /** On slow storage 39 of 88 light mends were done twice. */
  @Test
  void commitThatLandedUnseenIsFoundBeforeTheFixIsDoneAgain() {
    assertThat(ledger.begin(log, CLEAN)).isTrue();
    assertThat(ledger.isOverAfterTrouble(log, CLEAN)).isFalse();
    log.newest = null;
    assertThat(ledger.end(log, CLEAN, true)).isTrue();
    assertThat(ledger.begin(log, CLEAN)).isTrue();
    assertThat(ledger.isOverAfterTrouble(log, CLEAN)).as("the log cannot be read").isFalse();
    log.newest = with(null);
    assertThat(log.state().repository().fixes()).as("not read yet").isNotEmpty();
    assertThat(ledger.isOverAfterTrouble(log, CLEAN)).isTrue();
  }

  @Test
  void troubledIsLeftAloneForAWhile() {
    var patient = new GrantLedger(new Backoff(Duration.ofHours(1), Duration.ofHours(1)));
    assertThat(patient.begin(log, CLEAN)).isTrue();
    assertThat(patient.end(log, CLEAN, true)).isTrue();
    assertThat(patient.begin(log, CLEAN)).isFalse();
    patient.retain(Set.of());
    assertThat(patient.begin(log, CLEAN)).isTrue();
  }
}
