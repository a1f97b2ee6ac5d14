package io.quarry.agent.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.thread.Supervisor;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class StorageMonitorTest {
  private static final Duration SOON = Duration.ofMillis(20);
  private static final Duration NEVER = Duration.ofHours(1);

  private final Semaphore answers = new Semaphore(0);
  private final AtomicInteger asked = new AtomicInteger();

  private StorageMonitor pulse(Duration patience) {
    return new StorageMonitor("vms", this::ask, patience);
  }

  /** Like a call of a storage, the wait cannot be interrupted. */
  private void ask() {
    asked.incrementAndGet();
    answers.acquireUninterruptibly();
  }

  @Test
  void waitingCallsAreToldAndLaterCallsAreRefusedUntilAnAnswer() {
    try (StorageMonitor pulse = pulse(SOON)) {
      CompletableFuture<Void> hang = pulse.hang();
      pulse.start(new Supervisor());
      await()
          .until(() -> {
            pulse.look();
            return hang.isDone();
          });
      StorageException refusal =
          catchThrowableOfType(StorageException.class, pulse::requireResponsive);
      assertThat(refusal.code()).isEqualTo(ErrorCode.REPOSITORY_UNRESPONSIVE);
      assertThat(refusal.code().retryable()).isTrue();
      assertThat(pulse.silence()).isGreaterThan(SOON);
      assertThat(asked).as("questions to a storage that hangs").hasValue(1);

      answers.release();
      await().until(pulse::responsive);
      assertThat(pulse.hang()).isNotDone();
      assertThatCode(pulse::requireResponsive).doesNotThrowAnyException();
      answers.release(Integer.MAX_VALUE / 2);
    }
  }

  @Test
  void errorIsAnAnswer() throws Exception {
    CyclicBarrier twice = new CyclicBarrier(2);
    StorageMonitor.Question failing =
        () -> {
          try {
            twice.await();
          } catch (Exception e) {
            throw new IllegalStateException(e);
          }
          throw new IOException("Input/output error");
        };
    try (StorageMonitor pulse = new StorageMonitor("vms", failing, NEVER)) {
      pulse.start(new Supervisor());
      twice.await();
      twice.await();
      pulse.look();
      assertThat(pulse.responsive()).isTrue();
    }
  }

  @Test
  void storageIsNotGivenUpWhileItIsAskedNothing() {
    try (StorageMonitor pulse = pulse(Duration.ZERO)) {
      pulse.look();
      assertThat(pulse.responsive()).isTrue();
      assertThat(pulse.silence()).isZero();
    }
  }
}
