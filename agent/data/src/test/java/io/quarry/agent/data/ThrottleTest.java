package io.quarry.agent.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
final class ThrottleTest {
  private static final int MIB = 1 << 20;

  @Test
  void unlimitedNeverWaits() throws Exception {
    Throttle throttle = Throttle.unlimited();
    for (int i = 0; i < 100_000; i++) {
      assertThat(throttle.acquire(1L << 40, () -> false)).isTrue();
    }
  }

  @Test
  void callersTogetherKeepTheLimit() throws Exception {
    Throttle throttle = new Throttle(100 * MIB);
    long start = System.nanoTime();
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      for (int i = 0; i < 4; i++) {
        var _ =
            threads.submit(() -> {
              for (int n = 0; n < 25; n++) {
                throttle.acquire(MIB, () -> false);
              }
              return null;
            });
      }
    }
    // 100 MiB less the last one, which is taken on credit; a busy machine only takes longer.
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(900));
  }

  @Test
  void aHigherLimitWakesThoseWhoWait() throws Exception {
    Throttle throttle = new Throttle(1);
    assertThat(throttle.acquire(MIB, () -> false)).isTrue();
    try (ExecutorService threads = Executors.newSingleThreadExecutor()) {
      Future<Boolean> waiting = threads.submit(() -> throttle.acquire(1, () -> false));
      throttle.setBytesPerSecond(1L << 30);
      assertThat(waiting.get()).isTrue();
      assertThat(throttle.bytesPerSecond()).isEqualTo(1L << 30);
    }
  }

  @Test
  void liftingTheLimitWakesThoseWhoWait() throws Exception {
    Throttle throttle = new Throttle(1);
    assertThat(throttle.acquire(MIB, () -> false)).isTrue();
    try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
      Future<Boolean> first = threads.submit(() -> throttle.acquire(MIB, () -> false));
      Future<Boolean> second = threads.submit(() -> throttle.acquire(MIB, () -> false));
      throttle.setBytesPerSecond(Throttle.UNLIMITED);
      assertThat(first.get()).isTrue();
      assertThat(second.get()).isTrue();
    }
  }

  @Test
  void theCancelledStopWaiting() throws Exception {
    Throttle throttle = new Throttle(1);
    assertThat(throttle.acquire(MIB, () -> false)).isTrue();
    AtomicBoolean cancelled = new AtomicBoolean();
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      Future<Boolean> first = threads.submit(() -> throttle.acquire(1, cancelled::get));
      Future<Boolean> second = threads.submit(() -> throttle.acquire(1, cancelled::get));
      cancelled.set(true);
      assertThat(first.get()).isFalse();
      assertThat(second.get()).isFalse();
    }
  }

  @Test
  void everyCallerGetsItsShare() throws Exception {
    Throttle throttle = new Throttle(50 * MIB);
    LongAdder large = new LongAdder();
    LongAdder small = new LongAdder();
    AtomicBoolean over = new AtomicBoolean();
    CountDownLatch bothServed = new CountDownLatch(40);
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      var _ = threads.submit(() -> taking(throttle, MIB, large, over, bothServed));
      var _ = threads.submit(() -> taking(throttle, 64 << 10, small, over, bothServed));
      bothServed.await();
      over.set(true);
    }
    assertThat(large.sum()).isGreaterThan(5);
    assertThat(small.sum()).isGreaterThan(5);
  }

  private static Object taking(
      Throttle throttle, long bytes, LongAdder count, AtomicBoolean over, CountDownLatch served)
      throws InterruptedException {
    while (throttle.acquire(bytes, over::get)) {
      count.increment();
      served.countDown();
    }
    return count;
  }
}
