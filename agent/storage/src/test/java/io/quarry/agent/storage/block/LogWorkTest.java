package io.quarry.agent.storage.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.storage.Checkpoint;
import io.quarry.agent.storage.Claim;
import io.quarry.agent.storage.WorkStore;
import io.quarry.agent.storage.WorkStoreContract;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.Checkpointer;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.CommitLog.Outcome;
import io.quarry.coordinator.log.LogRecord.Entry;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.MemoryDisk;
import io.quarry.coordinator.log.MemorySlotStore;
import io.quarry.coordinator.log.Replica;
import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.Feature;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Reply;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Two hosts with one log. The calls of the contract go to both in turn. */
final class LogWorkTest extends WorkStoreContract {
  private static final String FIX = "mend-v1";
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final Worker FIRST = new Worker("host1", "life1");
  private static final Worker SECOND = new Worker("host2", "life2");

  private final MemoryDisk disk = new MemoryDisk();
  private final AtomicInteger turn = new AtomicInteger();

  @SuppressWarnings("NullAway.Init")
  private HostLog firstLog;

  @SuppressWarnings("NullAway.Init")
  private WorkStore first;

  @SuppressWarnings("NullAway.Init")
  private WorkStore second;

  @BeforeEach
  void connect() throws IOException {
    CommitLog genesis = new CommitLog(new MemorySlotStore(disk), "genesis");
    Outcome led = genesis.beginTerm(LogState.EMPTY, NOW);
    LogState begun = ((Outcome.Committed) led).state();
    Entry features =
        new Entry(
            "genesis",
            new Reply("enableFeatures", "repository", begun.sequence() + 1),
            List.of(new Change.PutFeature(Feature.EXTENTS)));
    assertThat(genesis.commit(begun, List.of(features), NOW)).isInstanceOf(Outcome.Committed.class);
    firstLog = host("host1");
    first = new LogWork(firstLog);
    second = new LogWork(host("host2"));
  }

  private HostLog host(String name) throws IOException {
    return new HostLog(new MemorySlotStore(disk), name);
  }

  @Override
  protected WorkStore store() {
    return turn.getAndIncrement() % 2 == 0 ? first : second;
  }

  private static Checkpoint filling(Worker worker, long epoch) {
    return Checkpoint.filling(worker, epoch, 2, "v1." + epoch + ".raw", 100, NOW);
  }

  @Test
  void oneHostSeesWhatTheOtherHasSavedJustNow() throws Exception {
    Claim claim = first.claim(FIX, 1, FIRST, NOW).orElseThrow();
    assertThat(second.newestClaim(FIX)).isEqualTo(claim);
    Checkpoint saved = filling(FIRST, 1).at(50, 50, NOW.plusNanos(1)).letGo("why", NOW);
    first.save(FIX, saved);
    assertThat(second.newestCheckpoint(FIX)).isEqualTo(saved);
    assertThat(second.claim(FIX, 1, SECOND, NOW)).isEmpty();
  }

  @Test
  void checkpointEndsTheEpochsBelowIt() throws Exception {
    assertThat(first.claim(FIX, 1, FIRST, NOW)).isPresent();
    first.save(FIX, filling(FIRST, 1));
    Claim two = second.claim(FIX, 2, SECOND, NOW).orElseThrow();
    Claim three = second.claim(FIX, 3, SECOND, NOW).orElseThrow();
    second.save(FIX, filling(SECOND, 2));
    assertThat(first.claimOf(FIX, 1)).isNull();
    assertThat(first.claimOf(FIX, 2)).isEqualTo(two);
    assertThat(first.newestClaim(FIX)).isEqualTo(three);
    assertThat(first.newestCheckpoint(FIX)).isEqualTo(filling(SECOND, 2));
    fails(ErrorCode.FIX_STALE, () -> first.save(FIX, filling(FIRST, 1)));
    assertThat(first.claim(FIX, 1, FIRST, NOW)).isEmpty();
  }

  /** A worker that slept after its claim has written nothing, and has to claim again. */
  @Test
  void claimWithoutAnAnswerIsLostWhenALaterEpochHasACheckpoint() throws Exception {
    firstLog.loseNext(HostLog.Lost.REQUEST);
    fails(ErrorCode.OUTCOME_UNKNOWN, () -> first.claim(FIX, 1, FIRST, NOW));
    firstLog.arriveLate();
    assertThat(second.claim(FIX, 2, SECOND, NOW)).isPresent();
    second.save(FIX, filling(SECOND, 2));
    assertThat(first.claim(FIX, 1, FIRST, NOW)).isEmpty();
    firstLog.loseNext(HostLog.Lost.REQUEST);
    assertThat(first.claim(FIX, 1, FIRST, NOW)).isEmpty();
  }

  @Test
  void checkpointOfAnotherWorkerIsRefused() throws Exception {
    assertThat(first.claim(FIX, 1, FIRST, NOW)).isPresent();
    first.save(FIX, filling(FIRST, 1));
    fails(ErrorCode.FIX_STALE, () -> second.save(FIX, filling(SECOND, 1)));
    assertThat(second.newestCheckpoint(FIX)).isEqualTo(filling(FIRST, 1));
    first.forget(FIX);
    fails(ErrorCode.FIX_STALE, () -> first.save(FIX, filling(FIRST, 1)));
  }

  @Test
  void claimWithoutAnAnswerIsOursWhenTheLogHasIt() throws Exception {
    firstLog.loseNext(HostLog.Lost.ANSWER);
    Optional<Claim> claim = first.claim(FIX, 1, FIRST, NOW);
    assertThat(claim).contains(new Claim(FIRST, 1, NOW));
    assertThat(second.claim(FIX, 1, SECOND, NOW)).isEmpty();
  }

  @Test
  void claimThatIsOnItsWayIsNeitherOursNorLost() throws Exception {
    firstLog.loseNext(HostLog.Lost.REQUEST);
    fails(ErrorCode.OUTCOME_UNKNOWN, () -> first.claim(FIX, 1, FIRST, NOW));
    assertThat(first.newestClaim(FIX)).isNull();
    firstLog.arriveLate();
    assertThat(second.claim(FIX, 1, SECOND, NOW)).isEmpty();
    assertThat(first.newestClaim(FIX)).isEqualTo(new Claim(FIRST, 1, NOW));
    assertThat(first.claim(FIX, 1, FIRST, NOW)).isEmpty();
    assertThat(first.claim(FIX, 2, FIRST, NOW)).isPresent();
  }

  @Test
  void claimThatArrivesTooLateIsLost() throws Exception {
    firstLog.loseNext(HostLog.Lost.REQUEST);
    fails(ErrorCode.OUTCOME_UNKNOWN, () -> first.claim(FIX, 1, FIRST, NOW));
    assertThat(second.claim(FIX, 1, SECOND, NOW)).isPresent();
    assertThatThrownBy(firstLog::arriveLate).isInstanceOf(StorageException.class);
    assertThat(first.claim(FIX, 1, FIRST, NOW)).isEmpty();
  }

  /** What becomes an IOException lets a fix pause; the next call goes on. */
  @ParameterizedTest
  @EnumSource
  void logThatDoesNotAnswerIsAFailureOfTheStorage(HostLog.Lost lost) throws Exception {
    assertThat(first.claim(FIX, 1, FIRST, NOW)).isPresent();
    ErrorCode code =
        lost == HostLog.Lost.NO_SDM ? ErrorCode.SDM_UNAVAILABLE : ErrorCode.OUTCOME_UNKNOWN;
    firstLog.loseNext(lost);
    fails(code, () -> first.save(FIX, filling(FIRST, 1)));
    first.save(FIX, filling(FIRST, 1).at(50, 50, NOW));
    assertThat(second.newestCheckpoint(FIX)).isEqualTo(filling(FIRST, 1).at(50, 50, NOW));
    firstLog.loseNext(lost);
    fails(code, () -> first.forget(FIX));
    first.forget(FIX);
    assertThat(second.fixes()).isEmpty();
  }

  @Test
  void storageThatHangsIsAFailureOfTheStorage() {
    firstLog.hang();
    fails(ErrorCode.REPOSITORY_UNRESPONSIVE, () -> first.newestClaim(FIX));
    fails(ErrorCode.REPOSITORY_UNRESPONSIVE, () -> first.claim(FIX, 1, FIRST, NOW));
  }

  @Test
  void errorOfAToolIsCutToOneLine() throws Exception {
    assertThat(first.claim(FIX, 1, FIRST, NOW)).isPresent();
    String error = "\u007f\n" + "\u0001".repeat(501) + "\ud83d\ude00".repeat(9_000);
    first.save(FIX, filling(FIRST, 1).letGo(error, NOW));
    Checkpoint saved = Objects.requireNonNull(second.newestCheckpoint(FIX));
    assertThat(saved.released()).isTrue();
    assertThat(saved.lastError()).hasSize(1_000).startsWith("   ");
  }

  @Test
  void recordsAndACheckpointOfTheLogGiveTheSameState() throws Exception {
    assertThat(first.claim(FIX, 1, FIRST, NOW)).isPresent();
    first.save(FIX, filling(FIRST, 1));
    assertThat(second.claim(FIX, 2, SECOND, NOW)).isPresent();
    List<Change> changes = firstLog.refresh().repository().asChanges();
    MemorySlotStore store = new MemorySlotStore(disk);
    assertThat(new Replica("records", store).state().repository().asChanges()).isEqualTo(changes);
    Checkpointer checkpointer = new Checkpointer(store);
    checkpointer.checkpoint(firstLog.state());
    first.save(FIX, filling(FIRST, 1));
    checkpointer.checkpoint(firstLog.state());
    assertThat(new Replica("checkpoint", store).state().repository().asChanges())
        .isEqualTo(changes);
  }

  private static void fails(ErrorCode code, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOf(IOException.class)
        .cause()
        .isInstanceOfSatisfying(
            StorageException.class, cause -> assertThat(cause.code()).isEqualTo(code));
  }
}
