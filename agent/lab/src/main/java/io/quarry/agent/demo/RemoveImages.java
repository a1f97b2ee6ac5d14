package io.quarry.agent.demo;

import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Fix;
import io.quarry.common.api.FixRequest;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/** Removes the demo's images and checks that no file of them is left. */
final class RemoveImages {
  private static final Duration CLEAN_MAX = Duration.ofMinutes(1);
  private static final Duration STEP = Duration.ofMillis(100);
  private static final String VOLUMES = "volumes";

  private final Scene scene;

  RemoveImages(Scene scene) {
    this.scene = scene;
  }

  void remove(String repoId, List<String> images) {
    for (String image : images) {
      scene.api().removeImage(repoId, image, RemoveImageOptions.DEFAULT, null);
    }
  }

  /** Checks, and requests the fixes that check finds, until check finds nothing. */
  void cleanUntilNothingIsLeft(String repoId)
      throws IOException, InterruptedException, DemoFailure {
    long deadline = System.nanoTime() + CLEAN_MAX.toNanos();
    List<Fix> fixes = check(repoId);
    while (!fixes.isEmpty()) {
      if (System.nanoTime() > deadline) {
        throw new DemoFailure(repoId + " still wants " + fixes.getFirst());
      }
      scene.audience().progress("cleaning " + repoId + ", " + fixes.size() + " to go", null);
      for (Fix fix : fixes) {
        ask(repoId, fix);
      }
      Thread.sleep(STEP);
      fixes = check(repoId);
    }
    try (Stream<Path> files = Files.list(scene.repository(repoId).resolve(VOLUMES))) {
      List<Path> left = files.toList();
      if (!left.isEmpty()) {
        throw new DemoFailure("Files are left of removed images: " + left);
      }
    }
  }

  private List<Fix> check(String repoId) {
    return scene.api().checkStorageRepository(repoId, CheckOptions.DEFAULT).fixes();
  }

  /** A fix that is under way already needs no request. */
  private void ask(String repoId, Fix fix) {
    if (fix.state().equals("waiting") || fix.state().equals("parked")) {
      try {
        scene.api().fixStorageRepository(repoId, new FixRequest(fix), null);
      } catch (StorageException e) {
        if (e.code() != ErrorCode.FIX_STALE) {
          throw e;
        }
      }
    }
  }
}
