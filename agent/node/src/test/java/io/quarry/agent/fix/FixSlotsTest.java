package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class FixSlotsTest {
  private static final long LONG_MILLIS = 600_000;

  private final FixSlots slots = new FixSlots();
  private final AtomicBoolean wanted = new AtomicBoolean(true);

  @Test
  void waitEndsWithTheLastOne() throws Exception {
    slots.add("first");
    slots.add("last");
    CompletableFuture<Boolean> none = awaitNone();
    slots.remove("first");
    assertThat(none).isNotDone();
    slots.remove("last");
    assertThat(none.get()).isTrue();
  }

  @Test
  void waitEndsWhenItIsNotWantedAnyMore() throws Exception {
    slots.add("one");
    CompletableFuture<Boolean> none = awaitNone();
    wanted.set(false);
    slots.wake();
    assertThat(none.get()).isTrue();
  }

  @Test
  void waitHasAnEnd() throws Exception {
    slots.add("one");
    assertThat(slots.awaitNone(wanted::get, 1)).isFalse();
  }

  @Test
  void stuckFixTakesNoPlaceAndIsNotBegunAgain() {
    slots.add("stuck");
    slots.add("other");
    assertThat(slots.stick("stuck")).isTrue();
    assertThat(slots.stick("stuck")).isFalse();
    assertThat(slots.places()).isEqualTo(1);
    assertThat(slots.add("stuck")).isFalse();

    slots.remove("stuck");
    assertThat(slots.isStuck("stuck")).isFalse();
    assertThat(slots.stick("stuck")).isFalse();
    assertThat(slots.add("stuck")).isTrue();
    assertThat(slots.places()).isEqualTo(2);
  }

  /** Returns when the other thread waits. */
  private CompletableFuture<Boolean> awaitNone() {
    CompletableFuture<Boolean> none = new CompletableFuture<>();
    Thread waiting =
        Thread.ofPlatform()
            .start(() -> {
              try {
                none.complete(slots.awaitNone(wanted::get, LONG_MILLIS));
              } catch (InterruptedException e) {
                none.completeExceptionally(e);
              }
            });
    await().until(() -> waiting.getState() == Thread.State.TIMED_WAITING);
    return none;
  }
}
