package io.quarry.agent.chaos;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.OpenInfo;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.Visibility;
import io.quarry.coordinator.thread.Deadline;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Removes every image in the end: no file may stay on the storage that no image needs. */
final class LeftoversChecker {
  private static final Duration CLEAN_MAX = Duration.ofMinutes(3);
  private static final Duration EVERY = Duration.ofMillis(200);
  private static final RemoveImageOptions REMOVE =
      new RemoveImageOptions(true, Duration.ZERO, true);

  /** Refusals that are no fault here: a fix may have removed the image first. */
  private static final Set<ErrorCode> GONE =
      Set.of(ErrorCode.IMAGE_NOT_FOUND, ErrorCode.OPEN_NOT_FOUND);

  private final StorageClient client;
  private final History history;
  private final Quiescence settling;
  private final Arena arena;

  LeftoversChecker(StorageClient client, History history, Quiescence settling, Arena arena) {
    this.client = client;
    this.history = history;
    this.settling = settling;
    this.arena = arena;
  }

  void judge(List<String> repositories) throws IOException, InterruptedException {
    for (String repoId : repositories) {
      for (OpenInfo open : client.listOpens(repoId, null, 0)) {
        unlessGone(() -> client.closeOpen(repoId, open.openId(), true, null));
      }
      for (ImageInfo image : settling.images(repoId, Visibility.REMOVED)) {
        unlessGone(() -> client.restoreImage(repoId, image.imageId(), null));
      }
      for (ImageInfo image : settling.images(repoId, Visibility.VISIBLE)) {
        unlessGone(() -> client.removeImage(repoId, image.imageId(), REMOVE, null));
      }
    }
    Deadline end = Deadline.after(CLEAN_MAX);
    for (String repoId : repositories) {
      Set<String> left = left(repoId);
      while (!left.isEmpty() && !end.passed()) {
        Thread.sleep(EVERY);
        left = left(repoId);
      }
      if (!left.isEmpty()) {
        history.violation("all images of " + repoId + " are removed, and left are " + left);
      }
    }
    history.moment("all images are removed");
  }

  private static void unlessGone(Runnable call) {
    try {
      call.run();
    } catch (StorageException e) {
      if (!GONE.contains(e.code())) {
        throw e;
      }
    }
  }

  /** The pin of a dead call keeps its image for some minutes, with one volume for each layer. */
  private Set<String> left(String repoId) throws IOException {
    List<ImageInfo> images = settling.images(repoId, Visibility.ALL);
    Set<String> left = new TreeSet<>(files(repoId, "fixes"));
    Set<String> volumes = files(repoId, "volumes");
    if (volumes.size() > images.size()) {
      left.addAll(volumes);
    }
    for (ImageInfo image : images) {
      if (!isNeeded(repoId, image.imageId())) {
        left.add("image " + image.imageId());
      }
    }
    return left;
  }

  private boolean isNeeded(String repoId, String imageId) {
    try {
      return client.explainImage(repoId, imageId, 0).neededByCount() > 0;
    } catch (StorageException e) {
      return false;
    }
  }

  /** A killed agent leaves files in tmp, which a sweep removes when they are old. */
  private Set<String> files(String repoId, String folder) throws IOException {
    try (Stream<Path> files = Files.list(arena.storage(repoId).resolve(folder))) {
      return files
          .map(file -> folder + "/" + file.getFileName())
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }
}
