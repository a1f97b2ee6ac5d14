package io.quarry.agent.cli;

import io.quarry.common.api.Event;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.model.Progress;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Events as text: the time, the repository, the image, and what happened. */
final class EventText {
  private static final String NOTHING = "-";
  private static final int IMAGES_MAX = 3;

  /** Words for operations that need an explanation; other operations are printed by name. */
  private static final Map<String, String> WORDS =
      Map.ofEntries(
          Map.entry("createVirtualDisk", "virtual disk created"),
          Map.entry("createSnapshot", "snapshot taken"),
          Map.entry("pinForCopy", "kept for a copy"),
          Map.entry("copyImage", "copy begun"),
          Map.entry("unpin", "no longer kept for a copy"),
          Map.entry("removeImage", "removed"),
          Map.entry("restoreImage", "restored"),
          Map.entry("setUserData", "user data replaced"),
          Map.entry("resizeImage", "resized"),
          Map.entry("openImage", "opened"),
          Map.entry("closeImage", "closed"),
          Map.entry("beginUpload", "upload begun"),
          Map.entry("finishUpload", "upload finished"),
          Map.entry("reapOpens", "closed, because its host is gone"),
          Map.entry("queueFix", "fix asked for"),
          Map.entry("grantFixes", "fix given to a host"),
          Map.entry("stopFix", "fix stopped"),
          Map.entry("pauseFix", "fix paused"),
          Map.entry("resumeFix", "fix resumed"),
          Map.entry("cancelRequest", "a call cancelled"),
          Map.entry("enableFeatures", "repository upgraded"),
          Map.entry("failFix", "fix failed"),
          Map.entry("finishMend", "is whole"),
          Map.entry("finishReplacement", "has a better volume"),
          Map.entry("tombstoneVolume", "cleaning begun"),
          Map.entry("purgeVolume", "space freed"),
          Map.entry("growPool", "repository made larger"),
          Map.entry("reserveExtents", "space given to a file"),
          Map.entry("mapFiles", "files allowed on a host"),
          Map.entry("unmapFiles", "files gone from a host"),
          Map.entry("fenceMappings", "files of a dead host given up"),
          Map.entry("freeExtents", "space of a needless file freed"),
          Map.entry("claimWork", "fix begun on a host"),
          Map.entry("saveCheckpoint", "progress of a fix saved"),
          Map.entry("forgetWork", "progress of a fix forgotten"),
          Map.entry("finishStray", "orphaned file removed"));

  private EventText() {}

  /** One line or, for a commit with several operations, as many. */
  static String of(Event event) {
    return switch (event) {
      case Event.Start _ -> line("TIME", "REPO", "IMAGE", "EVENT");
      case Event.Commit commit -> commit(commit);
      case Event.Reset reset ->
          line(
              NOTHING,
              reset.repoId(),
              NOTHING,
              "what happened up to commit "
                  + reset.commit()
                  + " cannot be told: look at what there is");
      case Event.Progress progress -> task(progress.task());
    };
  }

  private static String commit(Event.Commit commit) {
    String time = Units.time(commit.time());
    if (commit.operations().isEmpty()) {
      return line(time, commit.repoId(), NOTHING, "nothing changed: an SDM's term");
    }
    return String.join(
        "\n",
        commit.operations().stream()
            .map(operation -> line(time, commit.repoId(), subject(operation), what(operation)))
            .toList());
  }

  /** The image that the operation is about comes before the images that the operation touched. */
  private static String subject(Event.Operation operation) {
    List<String> images = operation.imageIds();
    return images.isEmpty() || images.contains(operation.id())
        ? images.isEmpty() ? NOTHING : operation.id()
        : images.getFirst();
  }

  private static String what(Event.Operation operation) {
    String subject = subject(operation);
    List<String> others =
        operation.imageIds().stream().filter(image -> !image.equals(subject)).toList();
    String words = WORDS.getOrDefault(operation.operation(), operation.operation());
    if (others.isEmpty()) {
      return words;
    }
    int more = others.size() - IMAGES_MAX;
    return words
        + "; with it "
        + String.join(", ", others.subList(0, Math.min(IMAGES_MAX, others.size())))
        + (more > 0 ? " and " + more + " more" : "");
  }

  private static String task(TaskInfo task) {
    Progress progress = task.progress();
    String how =
        progress == null
            ? "begins"
            : (progress.stage()
                    + " "
                    + progress.stageName()
                    + " "
                    + Units.percent(progress.percentComplete()))
                .strip();
    return line(
        Units.time(progress == null ? task.startedAt() : progress.updatedAt()),
        task.repoId(),
        task.imageId(),
        task.type().label() + " " + how + " on " + task.hostId());
  }

  private static String line(
      String time, @Nullable String repo, @Nullable String image, String what) {
    return String.format(
        Locale.ROOT,
        "%-20s  %-10s  %-36s  %s",
        time,
        repo == null ? NOTHING : repo,
        image == null ? NOTHING : image,
        what);
  }
}
