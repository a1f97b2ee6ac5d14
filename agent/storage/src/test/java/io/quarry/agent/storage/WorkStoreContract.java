package io.quarry.agent.storage;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.coordinator.plan.FixState.Worker;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

/** The contract of each {@link WorkStore}; the tests of a format extend this class. */
public abstract class WorkStoreContract {
  private static final String FIX = "mend-v1";
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final int WORKERS = 4;
  private static final int EPOCHS = 50;

  /** A store without claims and checkpoints. */
  protected abstract WorkStore store();

  @Test
  void oneWorkerGetsAnEpoch() throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(WORKERS)) {
      for (long epoch = 1; epoch <= EPOCHS; epoch++) {
        List<Claim> winners = winners(threads, epoch, i -> new Worker("h" + i, "life" + i));
        assertThat(winners).as("epoch %d", epoch).hasSize(1);
        assertThat(store().newestClaim(FIX)).isEqualTo(winners.getFirst());
      }
    }
  }

  /**
   * A call that its caller gave up waiting for goes on in its thread. The next call of the agent
   * must not get the same epoch, or both would write to one file.
   */
  @Test
  void oneThreadOfAWorkerGetsAnEpoch() throws Exception {
    Worker same = new Worker("h", "life");
    try (ExecutorService threads = Executors.newFixedThreadPool(WORKERS)) {
      for (long epoch = 1; epoch <= EPOCHS; epoch++) {
        assertThat(winners(threads, epoch, _ -> same)).as("epoch %d", epoch).hasSize(1);
        assertThat(store().claim(FIX, epoch, same, NOW)).as("epoch %d", epoch).isEmpty();
      }
    }
  }

  private List<Claim> winners(ExecutorService threads, long epoch, IntFunction<Worker> workers)
      throws Exception {
    List<Callable<Optional<Claim>>> tries = new ArrayList<>();
    for (int i = 0; i < WORKERS; i++) {
      Worker worker = workers.apply(i);
      tries.add(() -> store().claim(FIX, epoch, worker, NOW));
    }
    List<Claim> winners = new ArrayList<>();
    for (Future<Optional<Claim>> one : threads.invokeAll(tries)) {
      one.get().ifPresent(winners::add);
    }
    return winners;
  }

  @Test
  void newestCheckpointIsThatOfTheHighestEpoch() throws Exception {
    for (long epoch = 9; epoch <= 11; epoch++) {
      Worker worker = new Worker("h", "life" + epoch);
      assertThat(store().claim(FIX, epoch, worker, NOW)).isPresent();
      store().save(FIX, Checkpoint.filling(worker, epoch, 2, "v1." + epoch + ".raw", 100, NOW));
    }
    store()
        .save(
            FIX,
            Objects.requireNonNull(store().newestCheckpoint(FIX)).at(50, 50, NOW.plusSeconds(1)));
    assertThat(store().newestCheckpoint(FIX))
        .isNotNull()
        .extracting(Checkpoint::epoch, Checkpoint::offset)
        .containsExactly(11L, 50L);
    store().forget(FIX);
    assertThat(store().newestCheckpoint(FIX)).isNull();
    assertThat(store().newestClaim(FIX)).isNull();
  }

  @Test
  void fixesWithClaimsAreListedUntilTheyAreForgotten() throws Exception {
    assertThat(store().fixes()).isEmpty();
    assertThat(store().claim(FIX, 1, new Worker("h", "life"), NOW)).isPresent();
    assertThat(store().claim("mend-v2", 1, new Worker("h", "life"), NOW)).isPresent();
    assertThat(store().fixes()).containsExactlyInAnyOrder(FIX, "mend-v2");
    store().forget(FIX);
    store().forget("mend-v3");
    assertThat(store().fixes()).containsExactly("mend-v2");
  }

  @Test
  void claimOfAnEarlierEpochStays() throws Exception {
    Worker first = new Worker("h1", "life1");
    Worker second = new Worker("h2", "life2");
    assertThat(store().claim(FIX, 1, first, NOW)).isPresent();
    assertThat(store().claim(FIX, 2, second, NOW)).isPresent();
    assertThat(store().claim(FIX, 1, second, NOW)).isEmpty();
    assertThat(store().claimOf(FIX, 1)).isEqualTo(new Claim(first, 1, NOW));
    assertThat(store().claimOf(FIX, 3)).isNull();
  }
}
