package io.quarry.agent.chaos;

import io.quarry.agent.chaos.Owned.State;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.CheckReport;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.Problem;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Visibility;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Compares every byte in the repositories with what the customers remember. */
final class ImagesChecker {
  /** By then a killed agent's opens for reading have ended. */
  private static final Duration READING_REAPED = Duration.ofMinutes(3);

  /**
   * An SDM must live for a while before it ends such opens, and during the faults perhaps none did.
   */
  private static final Duration REAPING_MAX = Duration.ofMinutes(2);

  private static final Duration EVERY = Duration.ofMillis(500);

  private final SharedWorkload market;
  private final StorageClient client;
  private final Quiescence settling;
  private final Arena arena;
  private final History history;
  private final long beganNanos = System.nanoTime();
  private int compared;

  ImagesChecker(SharedWorkload market, StorageClient client, Quiescence settling, Arena arena) {
    this.market = market;
    this.client = client;
    this.settling = settling;
    this.arena = arena;
    this.history = market.history();
  }

  /** Returns the number of images that were read. */
  int judge(List<Owned> images) throws InterruptedException {
    for (String repoId : market.repositories()) {
      try {
        judge(repoId, images.stream().filter(each -> each.repoId.equals(repoId)).toList());
      } catch (StorageException e) {
        history.violation(repoId + " cannot be judged: " + e.code() + " " + e.getMessage());
      }
    }
    return compared;
  }

  private void judge(String repoId, List<Owned> images) throws InterruptedException {
    Map<String, ImageInfo> visible = byId(repoId, Visibility.VISIBLE);
    Map<String, ImageInfo> removed = byId(repoId, Visibility.REMOVED);
    Set<String> known = new HashSet<>();
    for (Owned image : images) {
      ImageInfo found = visible.get(image.imageId);
      // A snapshot that was copied again after its removal is another image with the same id.
      if (image.doubts > 0 || (image.state != State.VISIBLE && isAnother(image, images))) {
        continue;
      }
      switch (image.state) {
        case VISIBLE -> {
          known.add(image.imageId);
          if (found == null) {
            history.violation(image + " is lost");
          } else {
            judge(image, found);
          }
        }
        case RETAINED -> {
          if (found != null) {
            history.violation(image + " was removed, and is there");
          } else if (!removed.containsKey(image.imageId)) {
            history.violation(image + " was to be kept after its removal, and is not");
          }
        }
        case REMOVED -> {
          if (found != null) {
            history.violation(image + " was removed, and is there");
          }
        }
      }
    }
    visible.forEach((id, found) -> {
      if (!known.contains(id) && images.stream().noneMatch(each -> each.imageId.equals(id))) {
        history.violation(
            "no customer made image " + id + " in " + repoId + ": " + found.userData());
      }
    });
    judgeData(repoId);
  }

  private static boolean isAnother(Owned image, List<Owned> images) {
    return images.stream()
        .anyMatch(each ->
            each != image
                && each.imageId.equals(image.imageId)
                && (each.state == State.VISIBLE || each.doubts > 0));
  }

  private Map<String, ImageInfo> byId(String repoId, Visibility visibility) {
    Map<String, ImageInfo> found = new HashMap<>();
    settling.images(repoId, visibility).forEach(image -> found.put(image.imageId(), image));
    return found;
  }

  private void judge(Owned image, ImageInfo found) throws InterruptedException {
    if (found.kind() != image.kind || found.size() != image.content.bytes()) {
      history.violation(
          "%s is a %s of %d bytes, and not of %d"
              .formatted(image, found.kind().label(), found.size(), image.content.bytes()));
    }
    if (!found.userData().equals(CreateImages.userData(image.maker, image.changes))) {
      history.violation(
          "%s of %s has user data %s after %d changes"
              .formatted(image, image.maker, found.userData(), image.changes));
    }
    if (found.state() != ImageState.OPTIMIZED) {
      history.violation(image + " is " + found.state().label() + ": " + found.reason());
      return;
    }
    judgeOpens(image, found);
    String wrong = compare(image);
    if (wrong != null) {
      history.violation("wrong bytes in " + image + ": " + wrong);
    }
  }

  private void judgeOpens(Owned image, ImageInfo found) throws InterruptedException {
    @Nullable ImageInfo now = found;
    while (!stale(now).isEmpty() && System.nanoTime() - beganNanos < REAPING_MAX.toNanos()) {
      Thread.sleep(EVERY);
      now = byId(image.repoId, Visibility.VISIBLE).get(image.imageId);
    }
    stale(now).forEach(open -> history.violation(image + " is still open: " + open));
  }

  private static List<ImageInfo.Open> stale(@Nullable ImageInfo image) {
    Instant reaped = Instant.now().minus(READING_REAPED);
    return image == null
        ? List.of()
        : image.opens().stream().filter(open -> open.since().isBefore(reaped)).toList();
  }

  private @Nullable String compare(Owned image) throws InterruptedException {
    compared++;
    OpenedImage opened =
        client.openImage(image.repoId, image.imageId, new OpenRequest(true, "chaos judge"), null);
    try {
      Path file = Path.of(opened.path());
      if (image.kind == ImageKind.SNAPSHOT && arena.overwrites(file)) {
        history.violation("a process that knows the path wrote to " + file + " of " + image);
      }
      return market.guest().compare(opened, image);
    } catch (IOException e) {
      return e.getMessage();
    } finally {
      var _ = client.closeImage(image.repoId, image.imageId, opened.openId(), null);
    }
  }

  /**
   * Runs a deep check of the repository. The check may leave out some data for a while. The opens
   * of dead agents have just ended, and fixes that follow still hold volumes.
   */
  private void judgeData(String repoId) throws InterruptedException {
    CheckReport report = deepCheck(repoId);
    while (report.problems().stream().anyMatch(each -> each.kind() == Problem.Kind.NOT_READ)
        && System.nanoTime() - beganNanos < REAPING_MAX.toNanos()) {
      Thread.sleep(EVERY);
      report = deepCheck(repoId);
    }
    report.problems().forEach(problem -> history.violation(repoId + ": " + problem));
  }

  private CheckReport deepCheck(String repoId) {
    CheckReport report = client.checkStorageRepository(repoId, new CheckOptions(true, null, 0));
    while (report.next() != null) {
      report =
          report.and(
              client.checkStorageRepository(repoId, new CheckOptions(true, report.next(), 0)));
    }
    return report;
  }
}
