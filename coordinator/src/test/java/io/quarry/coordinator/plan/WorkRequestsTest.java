package io.quarry.coordinator.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.plan.FixState.Worker;
import java.time.Instant;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Claims and checkpoints of heavy fixes in the log, and why they are refused. */
class WorkRequestsTest {
  private static final String FIX = "mend-v";
  private static final Worker FIRST = new Worker("host1", "life1");
  private static final Worker SECOND = new Worker("host2", "life2");
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  private RepositoryState state =
      RepositoryState.EMPTY.apply(new Change.PutFeature(Feature.EXTENTS));
  private long commit;

  private Reply plan(Request request) {
    Transaction transaction = new Transaction(state, ++commit, NOW);
    Reply reply = request.plan(transaction);
    state = transaction.state();
    return reply;
  }

  private static ClaimWork claim(long epoch, Worker worker) {
    return claim(FIX, epoch, worker);
  }

  private static ClaimWork claim(String fixId, long epoch, Worker worker) {
    return new ClaimWork(fixId, epoch, worker, "call", NOW);
  }

  private StorageException refused(Request request, ErrorCode code) {
    StorageException refusal = catchThrowableOfType(StorageException.class, () -> plan(request));
    assertThat(refusal).isNotNull();
    assertThat(refusal.code()).isEqualTo(code);
    return refusal;
  }

  private Epoch epoch(long epoch) {
    return Objects.requireNonNull(state.work().epochs().of(FIX, epoch));
  }

  @Test
  void epochBelongsToTheFirstWorker() {
    plan(claim(1, FIRST));
    assertThat(refused(claim(1, SECOND), ErrorCode.FIX_STALE))
        .hasMessageContaining("is taken by host host1");
    plan(claim(2, SECOND));
    assertThat(epoch(1).worker()).isEqualTo(FIRST);
    assertThat(state.work().epochs().newest(FIX)).isEqualTo(epoch(2));
  }

  /** The request id of a lost answer may be forgotten by then. */
  @Test
  void repeatedClaimKeepsTheFirstOneAndItsCheckpoint() {
    plan(claim(1, FIRST));
    plan(new SaveCheckpoint(FIX, 1, FIRST, "far"));
    Reply again = plan(new ClaimWork(FIX, 1, FIRST, "call", NOW.plusSeconds(9)));
    assertThat(again.id()).isEqualTo(FIX);
    assertThat(epoch(1)).isEqualTo(new Epoch(FIX, 1, FIRST, "call", NOW, "far"));
  }

  /** Two threads of one agent would write to one file. */
  @Test
  void anotherCallOfTheWorkerIsAnotherClaim() {
    plan(claim(1, FIRST));
    assertThat(refused(new ClaimWork(FIX, 1, FIRST, "other", NOW), ErrorCode.FIX_STALE))
        .hasMessageContaining("is taken by host host1");
    assertThat(epoch(1).claimId()).isEqualTo("call");
  }

  @Test
  void epochBelowTheNewestIsTaken() {
    plan(claim(3, FIRST));
    assertThat(refused(claim(2, SECOND), ErrorCode.FIX_STALE))
        .hasMessage("epoch 2 of fix mend-v is over: a later one is taken by host host1 (life1)");
    plan(claim(3, FIRST));
    plan(claim(4, SECOND));
  }

  @Test
  void checkpointEndsTheEpochsBelowIt() {
    plan(claim(1, FIRST));
    plan(new SaveCheckpoint(FIX, 1, FIRST, "one"));
    for (long number = 2; number <= 4; number++) {
      plan(claim(number, SECOND));
    }
    plan(new SaveCheckpoint(FIX, 3, SECOND, "three"));
    Epochs epochs = state.work().epochs();
    assertThat(epochs.of(FIX, 1)).isNull();
    assertThat(epochs.of(FIX, 2)).isNull();
    assertThat(epochs.newestWithCheckpoint(FIX)).isEqualTo(epoch(3));
    assertThat(epochs.newest(FIX)).isEqualTo(epoch(4));
    refused(new SaveCheckpoint(FIX, 1, FIRST, "late"), ErrorCode.FIX_STALE);
    refused(claim(1, FIRST), ErrorCode.FIX_STALE);
    refused(claim(2, SECOND), ErrorCode.FIX_STALE);
  }

  /** Each try claims an epoch, saves a checkpoint and fails. */
  @Test
  void fixThatFailsForLongTakesTheRoomOfOneEpoch() {
    plan(claim(1, FIRST));
    plan(new SaveCheckpoint(FIX, 1, FIRST, "far"));
    long one = state.bytes();
    for (long number = 2; number <= 1_000; number++) {
      plan(claim(number, number % 2 == 0 ? FIRST : SECOND));
      plan(new SaveCheckpoint(FIX, number, number % 2 == 0 ? FIRST : SECOND, "far"));
    }
    assertThat(state.bytes()).isEqualTo(one);
    assertThat(epoch(1_000).checkpoint()).isEqualTo("far");
  }

  @Test
  void anotherLifeOfTheHostIsAnotherWorker() {
    plan(claim(1, FIRST));
    refused(claim(1, new Worker("host1", "life9")), ErrorCode.FIX_STALE);
  }

  @Test
  void onlyTheWorkerOfAnEpochSavesItsCheckpoint() {
    plan(claim(1, FIRST));
    plan(new SaveCheckpoint(FIX, 1, FIRST, "far"));
    assertThat(refused(new SaveCheckpoint(FIX, 1, SECOND, "farther"), ErrorCode.FIX_STALE))
        .hasMessageContaining("belongs to host host1");
    assertThat(refused(new SaveCheckpoint(FIX, 2, FIRST, "farther"), ErrorCode.FIX_STALE))
        .hasMessageContaining("is not claimed");
    assertThat(epoch(1).checkpoint()).isEqualTo("far");
  }

  @Test
  void newestCheckpointIsThatOfTheHighestEpochThatHasOne() {
    for (long number = 9; number <= 11; number++) {
      plan(claim(number, FIRST));
    }
    assertThat(state.work().epochs().newestWithCheckpoint(FIX)).isNull();
    plan(new SaveCheckpoint(FIX, 9, FIRST, "nine"));
    assertThat(state.work().epochs().newestWithCheckpoint(FIX)).isEqualTo(epoch(9));
    plan(new SaveCheckpoint(FIX, 10, FIRST, "ten"));
    assertThat(state.work().epochs().newestWithCheckpoint(FIX)).isEqualTo(epoch(10));
  }

  @Test
  void whatIsForgottenTakesNoRoom() {
    long before = state.bytes();
    plan(new ForgetWork(FIX));
    plan(claim(1, FIRST));
    plan(new SaveCheckpoint(FIX, 1, FIRST, "x".repeat(Epoch.CHECKPOINT_BYTES_MAX)));
    plan(claim("mend-w", 1, FIRST));
    long two = state.bytes();
    assertThat(two).isGreaterThan(before + Epoch.CHECKPOINT_BYTES_MAX);
    plan(new ForgetWork(FIX));
    plan(new ForgetWork(FIX));
    assertThat(state.work().epochs().fixes()).containsExactly("mend-w");
    refused(new SaveCheckpoint(FIX, 1, FIRST, "late"), ErrorCode.FIX_STALE);
    plan(new ForgetWork("mend-w"));
    assertThat(state.bytes()).isEqualTo(before);
  }

  @Test
  void checkpointThatIsTooLargeIsRefused() {
    String most = "ä".repeat(Epoch.CHECKPOINT_BYTES_MAX / 2);
    assertThat(new SaveCheckpoint(FIX, 1, FIRST, most).content()).isEqualTo(most);
    assertThatThrownBy(() -> new SaveCheckpoint(FIX, 1, FIRST, most + "x"))
        .isInstanceOf(StorageException.class)
        .hasMessage("content has 8193 bytes");
  }

  @Test
  void repositoryOfFilesKeepsNoClaimsInItsLog() {
    state = RepositoryState.EMPTY;
    refused(claim(1, FIRST), ErrorCode.INVALID_ARGUMENT);
    refused(new SaveCheckpoint(FIX, 1, FIRST, "far"), ErrorCode.FIX_STALE);
    plan(new ForgetWork(FIX));
  }

  /** No planner, present or future, gives an epoch to a second call. */
  @Test
  void stateKeepsAnEpochForItsCall() {
    Epochs epochs = Epochs.NONE.plus(new Epoch(FIX, 1, FIRST, "call", NOW, null));
    assertThatThrownBy(() -> epochs.plus(new Epoch(FIX, 1, SECOND, "call", NOW, null)))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> epochs.plus(new Epoch(FIX, 1, FIRST, "other", NOW, null)))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void stateTakesNoEpochBelowTheNewest() {
    Epochs epochs = Epochs.NONE.plus(new Epoch(FIX, 2, FIRST, "call", NOW, null));
    assertThatThrownBy(() -> epochs.plus(new Epoch(FIX, 1, FIRST, "call", NOW, null)))
        .isInstanceOf(IllegalStateException.class);
  }
}
