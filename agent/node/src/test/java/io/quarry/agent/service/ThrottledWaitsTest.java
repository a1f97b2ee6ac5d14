package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.data.Throttle;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Under a low throttle, ranges were refused after 20 s, and were sent again and again. */
@Timeout(60)
final class ThrottledWaitsTest {
  private static final Duration PATIENCE = Duration.ofMillis(20);

  /** Longer than a thread takes, on any machine, to unlock what it holds. */
  private static final Duration LONG_PATIENCE = Duration.ofSeconds(2);

  private static final int MIB = 1 << 20;

  private final ReentrantLock turn = new ReentrantLock();
  private final Throttle throttle = new Throttle(1);
  private final ThrottledWaits waits = new ThrottledWaits(throttle, PATIENCE);
  private final CountDownLatch triedTwice = new CountDownLatch(2);

  private boolean tryTurn(Duration patience) throws InterruptedException {
    boolean mine = turn.tryLock(patience.toMillis(), TimeUnit.MILLISECONDS);
    triedTwice.countDown();
    return mine;
  }

  @Test
  void rangeWaitsForOneThatTheThrottleSlowsDown() throws Exception {
    ThrottledWaits patient = new ThrottledWaits(throttle, LONG_PATIENCE);
    assertThat(throttle.acquire(MIB, () -> false)).as("a debt of twelve days").isTrue();
    CountDownLatch inTurn = new CountDownLatch(1);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> slow =
          threads.submit(() -> {
            turn.lock();
            try {
              inTurn.countDown();
              patient.acquire(MIB);
            } finally {
              turn.unlock();
            }
            return null;
          });
      inTurn.await();
      while (!patient.slowed(Long.MAX_VALUE)) {
        Thread.onSpinWait();
      }
      Future<Boolean> behind = threads.submit(() -> patient.await(this::tryTurn));
      try {
        triedTwice.await();
      } finally {
        throttle.setBytesPerSecond(Throttle.UNLIMITED);
      }
      slow.get();
      assertThat(behind.get()).isTrue();
    }
  }

  @Test
  void rangeThatNothingSlowsDownIsStuck() throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      turn.lock();
      assertThat(threads.submit(() -> waits.await(this::tryTurn)).get()).isFalse();
    }
  }

  /** Between two waits for the throttle a range waits for the storage. */
  @Test
  void waitThatHasEndedMeanwhileCountsAsWell() throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      turn.lock();
      Future<Boolean> behind =
          threads.submit(() ->
              waits.await(patience -> {
                boolean mine = tryTurn(patience);
                if (!mine && triedTwice.getCount() == 1) {
                  waits.acquire(1);
                }
                return mine;
              }));
      triedTwice.await();
      assertThat(behind.get()).isFalse();
    }
  }
}
