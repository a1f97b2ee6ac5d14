package io.quarry.coordinator.thread;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Case 12.6: no thread ends unnoticed. */
@Timeout(60)
final class SupervisorTest {
  private final Supervisor supervisor = new Supervisor();

  @Test
  void bodyThatFailsIsBegunAgainUntilItReturns() throws Exception {
    AtomicInteger tries = new AtomicInteger();
    Thread thread =
        supervisor.start(
            "stubborn",
            () -> {
              if (tries.incrementAndGet() < 3) {
                throw new StackOverflowError("try " + tries);
              }
            });
    thread.join();
    assertThat(tries).hasValue(3);
    assertThat(supervisor.tally("stubborn").failures()).isEqualTo(2);
    assertThat(supervisor.dead()).isEmpty();
  }

  @Test
  void threadThatEndsBeforeItsBodyIsDead() throws Exception {
    Supervisor careless = new Supervisor(_ -> Thread.ofPlatform().unstarted(() -> {}));
    careless.start("lost", () -> {}).join();
    assertThat(careless.dead()).containsExactly("lost");
  }

  @Test
  void threadThatCannotBeStartedFailsTheCaller() {
    Supervisor full =
        new Supervisor(_ ->
            new Thread() {
              @Override
              public void start() {
                throw new OutOfMemoryError("unable to create native thread");
              }
            });
    Loop loop = new Loop("unstarted", java.time.Duration.ofHours(1), () -> {});
    assertThatThrownBy(() -> loop.start(full)).isInstanceOf(OutOfMemoryError.class);
    assertThat(full.dead()).isEmpty();
    // The loop can be started when there is room for a thread again.
    AtomicInteger steps = new AtomicInteger();
    try (Loop another = new Loop("later", java.time.Duration.ofHours(1), steps::incrementAndGet)) {
      assertThatThrownBy(() -> another.start(full)).isInstanceOf(OutOfMemoryError.class);
      another.start(supervisor);
      await().until(() -> steps.get() == 1);
    }
  }

  @Test
  void poolGoesOnAfterAFailureThatIsCounted() throws Exception {
    List<String> names = new ArrayList<>();
    supervisor.onName(tally -> names.add(tally.name()));
    ExecutorService pool = Executors.newSingleThreadExecutor(supervisor.factory("pool"));
    CountDownLatch done = new CountDownLatch(1);
    pool.execute(() -> {
      throw new OutOfMemoryError("of one task");
    });
    pool.execute(done::countDown);
    done.await();
    await().until(() -> supervisor.tally("pool").failures() == 1);
    assertThat(names).containsExactly("pool");
    pool.shutdown();
  }

  @Test
  void unstartedThreadCountsItsFailure() throws Exception {
    Thread thread =
        supervisor.unstarted(
            "term",
            () -> {
              throw new IllegalStateException("it cannot go on");
            });
    thread.start();
    thread.join();
    assertThat(thread.getName()).isEqualTo("term");
    assertThat(supervisor.tallies()).extracting(Tally::failures).containsExactly(1L);
  }
}
