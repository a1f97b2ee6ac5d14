package io.quarry.coordinator.thread;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Case 12.6: after any error of a step the loop goes on, and its failures are counted. */
@Timeout(60)
final class LoopTest {
  private static final Duration NEVER = Duration.ofHours(1);

  private final Supervisor supervisor = new Supervisor();
  private final AtomicInteger steps = new AtomicInteger();

  @Test
  void errorOfAStepIsCountedAndTheStepIsTriedAgain() {
    try (Loop loop =
        new Loop(
            "fragile",
            NEVER,
            () -> {
              if (steps.incrementAndGet() == 1) {
                throw new OutOfMemoryError("a record too large");
              }
            })) {
      loop.start(supervisor);
      await().until(() -> steps.get() >= 2);
      await().until(() -> !supervisor.tally("fragile").keepsFailing());
      assertThat(supervisor.tally("fragile").failures()).isEqualTo(1);
      assertThat(supervisor.tally("fragile").last()).isInstanceOf(OutOfMemoryError.class);
      assertThat(supervisor.dead()).isEmpty();
    }
  }

  @Test
  void loopThatFailsAgainAndAgainSaysSoUntilItSucceeds() {
    AtomicInteger failuresLeft = new AtomicInteger(Integer.MAX_VALUE);
    try (Loop loop =
        new Loop(
            "broken",
            Duration.ofMillis(1),
            () -> {
              if (failuresLeft.getAndDecrement() > 0) {
                throw new IllegalStateException("not yet");
              }
            })) {
      loop.start(supervisor);
      await().until(() -> supervisor.tally("broken").keepsFailing());
      failuresLeft.set(0);
      await().until(() -> !supervisor.tally("broken").keepsFailing());
      assertThat(supervisor.tally("broken").failures()).isGreaterThanOrEqualTo(3);
    }
  }

  /** A wake-up during a step is not lost; many wake-ups count as one. */
  @Test
  void wakeUpDuringAStepBringsOneMore() throws Exception {
    Semaphore begins = new Semaphore(0);
    Semaphore goesOn = new Semaphore(0);
    try (Loop loop =
        new Loop(
            "woken",
            NEVER,
            () -> {
              steps.incrementAndGet();
              begins.release();
              goesOn.acquire();
            })) {
      loop.start(supervisor);
      begins.acquire();
      loop.wake();
      loop.wake();
      goesOn.release();
      begins.acquire();
      goesOn.release();
      assertThat(steps).hasValue(2);
      loop.wakeWithin(Duration.ofMillis(1));
      begins.acquire();
      goesOn.release();
      assertThat(steps).hasValue(3);
    }
  }

  @Test
  void interruptDoesNotEndIt() throws Exception {
    CountDownLatch again = new CountDownLatch(2);
    Thread[] thread = new Thread[1];
    try (Loop loop =
        new Loop(
            "interrupted",
            NEVER,
            () -> {
              thread[0] = Thread.currentThread();
              again.countDown();
            })) {
      loop.start(supervisor);
      await().until(() -> again.getCount() == 1);
      thread[0].interrupt();
      loop.wake();
      again.await();
      assertThat(thread[0].isAlive()).isTrue();
    }
    thread[0].join();
  }

  @Test
  void closedLoopEndsAndIsNotMissed() {
    Loop loop = new Loop("closed", NEVER, steps::incrementAndGet);
    loop.start(supervisor);
    await().until(() -> steps.get() == 1);
    loop.closeAndWait();
    loop.wake();
    assertThat(steps).hasValue(1);
    assertThat(supervisor.dead()).isEmpty();
  }
}
