package io.quarry.agent.repository;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.coordinator.thread.Supervisor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * 12.9: a fix waited for a thread when its repository was disconnected. The fix was dropped, but
 * its ledger still counted on it. After the next connection no host continued the fix.
 */
@Timeout(60)
final class LightWorkTest {
  private static final int MORE_THAN_THREADS = 40;

  @Test
  void workThatIsNotDoneIsDropped() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    List<Integer> done = new CopyOnWriteArrayList<>();
    List<Integer> dropped = new ArrayList<>();
    LightWork work = new LightWork("test", new Supervisor());
    CountDownLatch first = new CountDownLatch(1);
    CountDownLatch over = new CountDownLatch(1);
    work.execute(
        () -> {
          first.countDown();
          await(release);
          done.add(0);
          over.countDown();
        },
        () -> dropped.add(0));
    first.await();
    for (int each = 1; each < MORE_THAN_THREADS; each++) {
      int number = each;
      work.execute(
          () -> {
            await(release);
            done.add(number);
          },
          () -> dropped.add(number));
    }
    work.close();
    work.execute(() -> done.add(-1), () -> dropped.add(-1));
    assertThat(dropped).hasSizeGreaterThan(1).endsWith(MORE_THAN_THREADS - 1, -1);
    release.countDown();
    over.await();
    assertThat(done).contains(0).doesNotContainAnyElementsOf(dropped);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
