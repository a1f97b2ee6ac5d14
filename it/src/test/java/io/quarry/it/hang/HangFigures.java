package io.quarry.it.hang;

import static org.awaitility.Awaitility.await;

import io.quarry.it.box.Box;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The effects of a long hang.
 *
 * @param calls about the hung repository and others, at the host whose storage hangs
 * @param commits in another repository at the same host
 * @param moved when other hosts had taken over
 * @param grown threads and memory of the agent
 * @param met whether all promises were kept
 */
public record HangFigures(String calls, String commits, String moved, String grown, boolean met) {
  private static final Duration PAUSE = Duration.ofMillis(250);
  private static final Duration SETTLED = Duration.ofSeconds(30);
  private static final int COMMITS_BEFORE = 100;

  /** The threads and the heap of an idle host vary by so much. */
  private static final int THREADS_MORE_MAX = 8;

  public static HangFigures measure(Path directory, Duration hang) throws Exception {
    try (HangScene scene = HangScene.start(directory);
        EveryCall calls = scene.calls(0)) {
      for (EveryCall.Kind kind : scene.kinds()) {
        var _ = calls.make(kind);
      }
      CallLoad.Found before = commitsAlone(scene, calls);
      long epoch = scene.task().epoch();
      scene.hang(0);
      long began = System.nanoTime();
      CallLoad load = new CallLoad(calls, scene.kinds(), scene.client(0), PAUSE);
      load.start();
      scene.awaitSdm(1);
      Duration role = since(began);
      scene.awaitClaim(1, epoch);
      Duration claim = since(began);
      scene.finishCopy(1);
      awaitSince(began, SETTLED);
      int threads = scene.threads(0);
      long resident = scene.residentBytes(0);
      awaitSince(began, hang);
      int threadsAfter = scene.threads(0);
      long residentAfter = scene.residentBytes(0);
      CallLoad.Found during = load.stop();
      scene.goOn(0);
      scene.assertAllIsWell();
      List<Duration> answers = during.answers();
      return new HangFigures(
          "%s; %s".formatted(text(answers), during.codes()),
          "%s; before: %s".formatted(text(during.commits()), text(before.commits())),
          "role after %.1f s, claim after %.1f s"
              .formatted(role.toMillis() / 1e3, claim.toMillis() / 1e3),
          "%d threads after %d s, %d at the end; %d MiB, then %d MiB"
              .formatted(
                  threads, SETTLED.toSeconds(), threadsAfter, resident >> 20, residentAfter >> 20),
          during.wrong().isEmpty()
              && CallLoad.percentile(answers, 0.99).toMillis() <= 1000
              && threadsAfter <= threads + THREADS_MORE_MAX);
    }
  }

  private static CallLoad.Found commitsAlone(HangScene scene, EveryCall calls)
      throws InterruptedException {
    CallLoad load = new CallLoad(calls, List.of(), scene.client(0), PAUSE);
    load.start();
    await().atMost(Box.PATIENCE).until(() -> load.found().commits().size() >= COMMITS_BEFORE);
    return load.stop();
  }

  private static Duration since(long nanos) {
    return Duration.ofNanos(System.nanoTime() - nanos);
  }

  private static void awaitSince(long nanos, Duration enough) {
    await().atMost(enough.plus(Box.PATIENCE)).until(() -> since(nanos).compareTo(enough) > 0);
  }

  private static String text(List<Duration> sorted) {
    return "%,d times, p50 %.1f ms, p99 %.1f ms, max %.1f ms"
        .formatted(
            sorted.size(),
            CallLoad.percentile(sorted, 0.5).toNanos() / 1e6,
            CallLoad.percentile(sorted, 0.99).toNanos() / 1e6,
            CallLoad.percentile(sorted, 1).toNanos() / 1e6);
  }
}
