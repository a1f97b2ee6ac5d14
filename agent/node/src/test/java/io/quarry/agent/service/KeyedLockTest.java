package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class KeyedLockTest {
  private final KeyedLock turns = new KeyedLock();

  @Test
  void oneNameIsGivenToOneAtATime() throws Exception {
    CompletableFuture<String> second = new CompletableFuture<>();
    Thread waiting;
    try (var _ = turns.take("vms")) {
      waiting = Thread.ofPlatform().start(() -> takeAndTell(second));
      await().until(() -> waiting.getState() == Thread.State.WAITING);
      assertThat(second).isNotDone();
    }
    assertThat(second.get()).isEqualTo("had its turn");
    waiting.join();
  }

  @Test
  void anotherNameDoesNotWait() throws Exception {
    try (var _ = turns.take("hangs")) {
      try (var _ = turns.take("sound")) {
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
      }
    }
  }

  private void takeAndTell(CompletableFuture<String> told) {
    try (var _ = turns.take("vms")) {
      told.complete("had its turn");
    } catch (InterruptedException e) {
      told.completeExceptionally(new ExecutionException(e));
    }
  }
}
