package io.quarry.it.hang;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import io.quarry.it.hang.EveryCall.Kind;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A storage hangs. The host stays what it is to everybody else: it answers, and commits elsewhere.
 * Without a pulse every call about the storage waits for ten seconds or more, and the claim of the
 * copy stays where nobody can go on with it.
 */
@Timeout(300)
@SuppressWarnings("SystemOut")
final class HangIT {
  private static final Duration PAUSE = Duration.ofMillis(250);
  private static final Duration ANSWER_MAX = Duration.ofSeconds(1);
  private static final Duration SLOWEST_MAX = Duration.ofSeconds(6);

  /** Stays so for as long as it takes to fill whatever might fill. */
  private static final Duration LONG_ENOUGH = Duration.ofSeconds(12);

  private static final Duration FOR_ALL = Duration.ofSeconds(9);

  private static final int COMMITS_BEFORE = 40;

  /** Both share two cores with everything else. */
  private static final double COMMIT_RATIO_MAX = 4;

  private static final int THREADS_MORE_MAX = 8;

  @TempDir private Path directory;

  @Test
  void hostAnswersAndOthersTakeOverItsWork() throws Exception {
    try (HangScene scene = HangScene.start(directory);
        EveryCall calls = scene.calls(0)) {
      assertEachIsAnswered(scene, calls);
      CallLoad.Found before = commitsAlone(scene, calls);
      long epoch = scene.task().epoch();
      assertThat(scene.task().hostId()).isEqualTo(scene.host(0));

      scene.hang(0);
      long began = System.nanoTime();
      CallLoad load = new CallLoad(calls, scene.kinds(), scene.client(0), PAUSE);
      load.start();
      scene.awaitSdm(1);
      Duration role = Duration.ofNanos(System.nanoTime() - began);
      scene.awaitClaim(1, epoch);
      Duration claim = Duration.ofNanos(System.nanoTime() - began);
      String made = Box.disk(scene.client(1), HangScene.HUNG, 1 << 20).imageId();
      Box.awaitOptimized(scene.client(1), HangScene.HUNG, made);
      scene.finishCopy(1);
      int threads = scene.threads(0);
      await().atMost(Box.PATIENCE).until(() -> System.nanoTime() - began > LONG_ENOUGH.toNanos());
      int threadsAfter = scene.threads(0);
      CallLoad.Found during = load.stop();
      scene.goOn(0);

      List<Duration> answers = during.answers();
      System.out.printf(
          "Storage hung on one host: %d calls, p50 %s, p99 %s, slowest %s; commits elsewhere p50 %s"
              + " (before %s), role moved after %s, claim after %s; threads %d, then %d; %s%n",
          answers.size(),
          CallLoad.percentile(answers, 0.5),
          CallLoad.percentile(answers, 0.99),
          during.slowest(),
          CallLoad.percentile(during.commits(), 0.5),
          CallLoad.percentile(before.commits(), 0.5),
          role,
          claim,
          threads,
          threadsAfter,
          during.codes());
      assertAnswersInTime(scene, during);
      assertThat(threadsAfter).isLessThanOrEqualTo(threads + THREADS_MORE_MAX);
      assertAsFast(before, during);
      during.disks().forEach(disk -> Box.awaitOptimized(scene.client(0), HangScene.SOUND, disk));

      assertEachIsAnswered(scene, calls);
      scene.assertAllIsWell();
      Box.awaitOptimized(scene.client(0), HangScene.HUNG, made);
    }
  }

  /** Nobody else can take the work over then; everything waits, and goes on by itself. */
  @Test
  void whenItHangsForAllTheyAnswerAndGoOnAfterwards() throws Exception {
    try (HangScene scene = HangScene.start(directory);
        EveryCall calls = scene.calls(0)) {
      assertEachIsAnswered(scene, calls);
      scene.hang(0);
      scene.hang(1);
      CallLoad load = new CallLoad(calls, scene.kinds(), scene.client(0), PAUSE);
      load.start();
      long began = System.nanoTime();
      await().atMost(Box.PATIENCE).until(() -> System.nanoTime() - began > FOR_ALL.toNanos());
      CallLoad.Found during = load.stop();
      scene.goOn(0);
      scene.goOn(1);

      assertAnswersInTime(scene, during);
      StorageClient client = scene.client(0);
      String made = Box.disk(client, HangScene.HUNG, 1 << 20).imageId();
      Box.awaitOptimized(client, HangScene.HUNG, made);
      assertEachIsAnswered(scene, calls);
      scene.assertAllIsWell();
    }
  }

  /** Each caller waits once at the most: while the agent does not know yet. */
  private static void assertAnswersInTime(HangScene scene, CallLoad.Found during) {
    assertThat(during.wrong()).isEmpty();
    assertThat(during.answers().getLast()).isLessThanOrEqualTo(SLOWEST_MAX);
    assertThat(during.answers())
        .filteredOn(took -> took.compareTo(ANSWER_MAX) > 0)
        .hasSizeLessThanOrEqualTo(scene.kinds().size());
    assertThat(during.lateAnswers()).hasSizeGreaterThan(scene.kinds().size());
    assertThat(CallLoad.percentile(during.lateAnswers(), 0.99)).isLessThanOrEqualTo(ANSWER_MAX);
  }

  /** Nothing that a caller would have to repeat, once the storage has been heard of again. */
  private static void assertEachIsAnswered(HangScene scene, EveryCall calls) {
    for (Kind kind : scene.kinds()) {
      await()
          .atMost(Box.PATIENCE)
          .untilAsserted(
              () -> assertThat(calls.make(kind).status()).as("%s", kind).isLessThan(500));
    }
  }

  private static CallLoad.Found commitsAlone(HangScene scene, EveryCall calls)
      throws InterruptedException {
    CallLoad load = new CallLoad(calls, List.of(), scene.client(0), PAUSE.dividedBy(10));
    load.start();
    await().atMost(Box.PATIENCE).until(() -> load.found().commits().size() >= COMMITS_BEFORE);
    return load.stop();
  }

  private static void assertAsFast(CallLoad.Found before, CallLoad.Found during) {
    double ratio =
        CallLoad.percentile(during.commits(), 0.5).toNanos()
            / (double) CallLoad.percentile(before.commits(), 0.5).toNanos();
    assertThat(ratio)
        .as("commits elsewhere take that many times as long")
        .isLessThan(COMMIT_RATIO_MAX);
  }
}
