package io.quarry.coordinator.plan;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.Limits;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.plan.FixState.Worker;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/**
 * Case 12.21: user data of many images filled the memory of each agent, and again at each start.
 */
final class StateSizeTest {
  private static final long MAX = 1 << 20;
  private static final int LARGE_CHARS = Limits.USER_DATA_BYTES_MAX - 16;

  private RepositoryState state = RepositoryState.EMPTY;
  private long commit;

  private void plan(Request request) {
    Transaction transaction = new Transaction(state, ++commit, Instant.EPOCH, MAX);
    request.plan(transaction);
    state = transaction.state();
    RepositoryState rebuilt = RepositoryState.EMPTY;
    for (Change change : state.asChanges()) {
      rebuilt = rebuilt.apply(change);
    }
    assertThat(state.bytes()).isEqualTo(rebuilt.bytes());
  }

  private StorageException refusal(Request request) {
    return catchThrowableOfType(StorageException.class, () -> plan(request));
  }

  private static ObjectNode data(int chars) {
    return JsonNodeFactory.instance.objectNode().put("a", "x".repeat(chars));
  }

  private static Request disk(String id, int chars) {
    return disk(id, data(chars));
  }

  private static Request disk(String id, ObjectNode data) {
    return new CreateVirtualDisk(id, "v-" + id, 512, null, null, Strategy.SPACE, true, data, null);
  }

  /** Returns the number of disks. */
  private int fill() {
    int disks = 0;
    while (state.bytes() + LARGE_CHARS + 2_000 < MAX) {
      plan(disk("d" + disks++, LARGE_CHARS));
    }
    return disks;
  }

  @Test
  void requestsThatAddAreRefusedAboveTheLimit() {
    assertThat(fill()).isEqualTo(15);
    StorageException refused = refusal(disk("more", LARGE_CHARS));
    assertThat(refused.code()).isEqualTo(ErrorCode.NO_SPACE);
    assertThat(refused).hasMessageContaining(String.valueOf(MAX));
    assertThat(state.images()).doesNotContainKey("more");
  }

  @Test
  void theLimitOfEachRepositoryIsTheDocumentedOne() {
    ObjectNode shared = data(LARGE_CHARS);
    while (state.bytes() <= Limits.STATE_BYTES_MAX - LARGE_CHARS) {
      Transaction unlimited = new Transaction(state, ++commit, Instant.EPOCH, Long.MAX_VALUE);
      disk("d" + commit, shared).plan(unlimited);
      state = unlimited.state();
    }
    Transaction transaction = new Transaction(state, ++commit, Instant.EPOCH);
    assertThat(
            catchThrowableOfType(StorageException.class, () -> disk("e", shared).plan(transaction)))
        .extracting(StorageException::code)
        .isEqualTo(ErrorCode.NO_SPACE);
  }

  @Test
  void requestsThatFreeSpaceAreNotRefused() {
    fill();
    while (state.bytes() + 2_000 < MAX) {
      plan(disk("small" + commit, 1));
    }
    assertThat(refusal(disk("more", 2_000)).code()).isEqualTo(ErrorCode.NO_SPACE);
    plan(new FinishMend(FixState.mendId("v-d0"), "v-d0", 1, "v-d0.1.raw"));
    plan(new OpenImage("o", "d0", false, "h", null, null));
    plan(new CloseImage("d0", "o"));
    plan(new SetUserData("d0", data(1)));
    plan(disk("more", 2_000));
    plan(new RemoveImage("d1", true, Duration.ZERO, false));
    plan(new TombstoneVolume(FixState.cleanId("v-d1"), "v-d1"));
    long before = state.bytes();
    plan(disk("again", LARGE_CHARS));
    assertThat(state.bytes()).isGreaterThan(before);
  }

  @Test
  void opensAreLimitedToo() {
    fill();
    plan(new FinishMend(FixState.mendId("v-d0"), "v-d0", 1, "v-d0.1.raw"));
    StorageException refused = null;
    for (int i = 0; refused == null && i < 10_000; i++) {
      OpenImage open = new OpenImage("o" + i, "d0", true, "h", null, null);
      Transaction transaction = new Transaction(state, ++commit, Instant.EPOCH, MAX);
      refused = catchThrowableOfType(StorageException.class, () -> open.plan(transaction));
      state = refused == null ? transaction.state() : state;
    }
    assertThat(requireNonNull(refused).code()).isEqualTo(ErrorCode.NO_SPACE);
    assertThat(state.bytes()).isBetween(MAX, MAX + MAX / 8);
  }

  /** Each try claims an epoch, saves a checkpoint and fails. */
  @Test
  void fixThatFailsForLongStaysWithinTheLimit() {
    state = state.apply(new Change.PutFeature(Feature.EXTENTS));
    Worker worker = new Worker("host1", "life1");
    String checkpoint = "x".repeat(Epoch.CHECKPOINT_BYTES_MAX);
    for (long epoch = 1; epoch <= 2 * MAX / Epoch.CHECKPOINT_BYTES_MAX; epoch++) {
      plan(new ClaimWork("mend-v", epoch, worker, "call", Instant.EPOCH));
      plan(new SaveCheckpoint("mend-v", epoch, worker, checkpoint));
    }
    assertThat(state.bytes()).isLessThan(2 * Epoch.CHECKPOINT_BYTES_MAX);
  }
}
