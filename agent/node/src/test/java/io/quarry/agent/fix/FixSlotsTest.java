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

  private final FixSlots taken = new FixSlots();
  private final AtomicBoolean wanted = new AtomicBoolean(true);

  @Test
  void waitEndsWithTheLastOne() throws Exception {
    taken.add("first");
    taken.add("last");
    CompletableFuture<Boolean> none = awaitNone();
    taken.remove("first");
    assertThat(none).isNotDone();
    taken.remove("last");
    assertThat(none.get()).isTrue();
  }

  @Test
  void waitEndsWhenItIsNotWantedAnyMore() throws Exception {
    taken.add("one");
    CompletableFuture<Boolean> none = awaitNone();
    wanted.set(false);
    taken.wake();
    assertThat(none.get()).isTrue();
  }

  @Test
  void waitHasAnEnd() throws Exception {
    taken.add("one");
    assertThat(taken.awaitNone(wanted::get, 1)).isFalse();
  }

  @Test
  void whatIsStuckTakesNoPlaceAndIsNotBegunAgain() {
    taken.add("stuck");
    taken.add("other");
    assertThat(taken.stick("stuck")).isTrue();
    assertThat(taken.stick("stuck")).isFalse();
    assertThat(taken.places()).isEqualTo(1);
    assertThat(taken.add("stuck")).isFalse();

    taken.remove("stuck");
    assertThat(taken.isStuck("stuck")).isFalse();
    assertThat(taken.stick("stuck")).isFalse();
    assertThat(taken.add("stuck")).isTrue();
    assertThat(taken.places()).isEqualTo(2);
  }

  /** Returns when it waits. */
  private CompletableFuture<Boolean> awaitNone() {
    CompletableFuture<Boolean> none = new CompletableFuture<>();
    Thread waiting =
        Thread.ofPlatform()
            .start(() -> {
              try {
                none.complete(taken.awaitNone(wanted::get, LONG_MILLIS));
              } catch (InterruptedException e) {
                none.completeExceptionally(e);
              }
            });
    await().until(() -> waiting.getState() == Thread.State.TIMED_WAITING);
    return none;
  }
}
