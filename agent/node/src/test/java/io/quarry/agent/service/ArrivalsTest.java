package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class ArrivalsTest {
  private static final Duration LONG = Duration.ofMinutes(5);

  private final Arrivals arrivals = new Arrivals();
  private final AtomicLong written = new AtomicLong();

  private Future<Boolean> waiter(ExecutorService threads, long offset) {
    arrivals.enter(offset);
    return threads.submit(() -> arrivals.awaitFirst(offset, written::get, LONG));
  }

  @Test
  void rangeWaitsForOneThatMayFillTheGap() throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      arrivals.enter(0);
      Future<Boolean> behind = waiter(threads, 8);
      assertThat(arrivals.awaitFirst(8, written::get, Duration.ofMillis(20))).isFalse();
      assertThat(behind.isDone()).isFalse();
      written.set(8);
      arrivals.moved();
      assertThat(behind.get()).isTrue();
    }
  }

  @Test
  void rangeDoesNotWaitForOneThatHasGone() throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      arrivals.enter(0);
      arrivals.enter(0);
      Future<Boolean> behind = waiter(threads, 8);
      arrivals.leave(0);
      assertThat(arrivals.awaitFirst(8, written::get, Duration.ofMillis(20)))
          .as("the other range is still on its way")
          .isFalse();
      arrivals.leave(0);
      await().until(behind::isDone);
      assertThat(behind.get()).isTrue();
    }
  }

  @Test
  void rangeThatJoinsDoesNotWait() throws Exception {
    arrivals.enter(0);
    arrivals.enter(8);
    assertThat(arrivals.awaitFirst(0, written::get, Duration.ZERO)).isTrue();
    written.set(16);
    assertThat(arrivals.awaitFirst(8, written::get, Duration.ZERO)).isTrue();
  }
}
