package io.quarry.agent.demo;

import io.quarry.common.api.ImageStatus;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageState;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;

/** Waits, with a limit, for work that the cluster does by itself. */
final class Waiting {
  private static final Duration STEP = Duration.ofMillis(20);
  private static final Duration STATUS_STEP = Duration.ofMillis(200);

  private Waiting() {}

  static void until(String what, Duration atMost, BooleanSupplier condition)
      throws InterruptedException, DemoFailure {
    long deadline = System.nanoTime() + atMost.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new DemoFailure("After " + atMost.toSeconds() + " s still waiting for " + what);
      }
      Thread.sleep(STEP);
    }
  }

  /** Shows the audience the progress. */
  static ImageStatus untilOptimized(
      Scene scene, String headline, String repoId, String imageId, long commit, Duration atMost)
      throws DemoFailure, InterruptedException {
    long deadline = System.nanoTime() + atMost.toNanos();
    StatusQuery query = new StatusQuery(STATUS_STEP, ImageState.OPTIMIZED, commit);
    while (true) {
      ImageStatus status = scene.api().getImageStatus(repoId, imageId, query);
      if (status.state() == ImageState.OPTIMIZED) {
        return status;
      }
      scene.audience().progress(headline, status.progress());
      if (System.nanoTime() > deadline) {
        throw new DemoFailure(
            "Image %s in %s is still %s after %d s: %s"
                .formatted(
                    imageId, repoId, status.state().label(), atMost.toSeconds(), status.reason()));
      }
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
    }
  }

  /** Whether a question can be answered now: agents may be dead or starting. */
  static boolean succeeds(Callable<?> question) {
    try {
      question.call();
      return true;
    } catch (StorageException e) {
      return false;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
