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
 * A storage hangs. To all others the host stays as it was: it answers, and commits in other
 * repositories. Without a pulse every call about the storage would wait for ten seconds or more.
 * The claim of the copy would stay, and no other host could continue the copy.
 */
@Timeout(300)
@SuppressWarnings("SystemOut")
final class HangIT {
  private static final Duration PAUSE = Duration.ofMillis(250);
  private static final Duration ANSWER_MAX = Duration.ofSeconds(1);

  /** Less than the time after which a storage counts as unresponsive without a pulse. */
  private static final Duration SLOWEST_MAX = Duration.ofSeconds(8);

  /** Long enough for any buffer or pool to fill up. */
  private static final Duration FOR_ONE = Duration.ofSeconds(12);

  private static final Duration FOR_ALL = Duration.ofSeconds(7);

  private static final int COMMITS_BEFORE = 40;

  /** Both measurements share two cores with all other load. */
  private static final double COMMIT_RATIO_MAX = 4;

  /** One call, and one more where the machine is busy. */
  private static final int SLOW_PER_KIND_MAX = 2;

  private static final int THREADS_MORE_MAX = 8;

  @TempDir private Path directory;

  @Test
  void hostAnswersAndOthersTakeOverAndAllGoOnAfterwards() throws Exception {
    try (HangScene scene = HangScene.start(directory);
        EveryCall calls = scene.calls(0)) {
      assertEachIsAnswered(scene, calls);
      CallLoad.Found before = commitsAlone(scene, calls);
      CallLoad.Found during = hangForOne(scene, calls);
      assertAnswersInTime(scene, during);
      assertAsFast(before, during);
      during.disks().forEach(disk -> Box.awaitOptimized(scene.client(0), HangScene.SOUND, disk));
      assertEachIsAnswered(scene, calls);

      assertAnswersInTime(scene, hangForAll(scene, calls));
      assertMakesDisks(scene.client(0));
      assertEachIsAnswered(scene, calls);
      scene.assertAllIsWell();
    }
  }

  /** The other host commits, and finishes the work that this host has begun. */
  private static CallLoad.Found hangForOne(HangScene scene, EveryCall calls) throws Exception {
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
    assertMakesDisks(scene.client(1));
    scene.finishCopy(1);
    int threads = scene.threads(0);
    awaitSince(began, FOR_ONE);
    int threadsAfter = scene.threads(0);
    CallLoad.Found during = load.stop();
    scene.goOn(0);
    System.out.printf(
        "Storage hung on one host: %d calls, p99 %s; role moved after %s, claim after %s;"
            + " %d threads, then %d; %s%n",
        during.answers().size(),
        CallLoad.percentile(during.answers(), 0.99),
        role,
        claim,
        threads,
        threadsAfter,
        during.codes());
    assertThat(threadsAfter).isLessThanOrEqualTo(threads + THREADS_MORE_MAX);
    return during;
  }

  /** No host can take over; all work waits. */
  private static CallLoad.Found hangForAll(HangScene scene, EveryCall calls) throws Exception {
    scene.hang(0);
    scene.hang(1);
    long began = System.nanoTime();
    CallLoad load = new CallLoad(calls, scene.kinds(), scene.client(0), PAUSE);
    load.start();
    awaitSince(began, FOR_ALL);
    CallLoad.Found during = load.stop();
    scene.goOn(0);
    scene.goOn(1);
    return during;
  }

  private static void awaitSince(long nanos, Duration enough) {
    await().atMost(Box.PATIENCE).until(() -> System.nanoTime() - nanos > enough.toNanos());
  }

  private static void assertMakesDisks(StorageClient client) {
    String made = Box.disk(client, HangScene.HUNG, 1 << 20).imageId();
    Box.awaitOptimized(client, HangScene.HUNG, made);
  }

  /** Each caller waits at most once: before the agent knows of the hang. */
  private static void assertAnswersInTime(HangScene scene, CallLoad.Found during) {
    assertThat(during.wrong()).isEmpty();
    assertThat(during.answers().getLast()).isLessThanOrEqualTo(SLOWEST_MAX);
    assertThat(during.answers())
        .filteredOn(took -> took.compareTo(ANSWER_MAX) > 0)
        .hasSizeLessThanOrEqualTo(SLOW_PER_KIND_MAX * scene.kinds().size());
    assertThat(during.lateAnswers()).hasSizeGreaterThan(scene.kinds().size());
    assertThat(CallLoad.percentile(during.lateAnswers(), 0.99)).isLessThanOrEqualTo(ANSWER_MAX);
  }

  /** Once the storage has answered again, no caller has to repeat a call. */
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
        .as("commits in the other repository take that many times as long")
        .isLessThan(COMMIT_RATIO_MAX);
  }
}
