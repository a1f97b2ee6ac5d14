package io.quarry.agent.service;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.ImageExplanation;
import io.quarry.common.api.ImageExplanation.ExplainedFix;
import io.quarry.common.api.ImageExplanation.Need;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Progress;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.Condition;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Explains the state of an image: what is missing, which host will do it, or why no host does. */
final class Explain {
  private final Status status;
  private final SpaceWaits space;
  private final StorageIo io;
  private final Supplier<List<HostRecord>> hosts;

  /**
   * @param hosts the live hosts
   */
  Explain(Status status, SpaceWaits space, StorageIo io, Supplier<List<HostRecord>> hosts) {
    this.status = status;
    this.space = space;
    this.io = io;
    this.hosts = hosts;
  }

  ImageExplanation image(ConnectedRepository repository, String imageId, long atLeast) {
    LogState now = status.fresh(repository, repository.atLeast(atLeast), imageId);
    RepositoryState state = now.repository();
    Image image = state.images().get(imageId);
    if (image == null) {
      throw Status.notFound(imageId, repository.repoId());
    }
    Condition condition = Condition.of(state, image);
    String missing = condition == null ? null : condition.text();
    List<HostRecord> live = hosts.get();
    Dependents all = new Dependents(state, new RepositoryNames(live));
    List<Need> needs = all.of(image);
    List<String> sentences = new ArrayList<>();
    sentences.add(
        missing == null
            ? whole(image, state)
            : "It is " + state.stateOf(image).label() + ": " + missing + ".");
    if (!image.visible()) {
      sentences.add(kept(image, needs));
    }
    sentences.addAll(all.formerVolumes(image));
    sentences.addAll(changedFiles(repository, state, image));
    Image target = state.mergedInto(image);
    FixState fix = target == null ? fixOf(image, state) : state.fixOf(target);
    ExplainedFix explained = null;
    if (fix != null) {
      FixObstacles who = new FixObstacles(repository, state, live, space.of(repository, fix));
      explained = explained(repository, fix, who);
      sentences.add(who.sentence(fix, explained));
    } else if (target != null) {
      sentences.add(
          "Its data goes into image " + target.id() + " once no VM writes to that image.");
    } else if (state.stateOf(image) == ImageState.BROKEN) {
      sentences.add("No fix can do that here: copy the base into this repository.");
    } else if (missing != null) {
      sentences.add("That has to wait until it is closed: " + Dependents.sentence(needs) + ".");
    }
    return new ImageExplanation(
        imageId,
        image.kind(),
        image.visible(),
        state.stateOf(image),
        sentences,
        missing,
        image.retainedUntil(),
        explained,
        needs.subList(0, Math.min(needs.size(), ImageExplanation.NEEDS_MAX)),
        needs.size(),
        now.sequence());
  }

  /** When the storage does not answer, the explanation leaves the changed files out. */
  private List<String> changedFiles(
      ConnectedRepository repository, RepositoryState state, Image image) {
    try {
      return io.call(
          repository,
          () ->
              ChangedFiles.of(
                      repository.storage(),
                      state,
                      state.chainOf(image).stream().map(Image::volumeId).toList())
                  .keySet()
                  .stream()
                  .map(file ->
                      "Another process changed its file "
                          + file
                          + " after the file was frozen: see what check says.")
                  .toList());
    } catch (StorageException e) {
      return List.of("Whether its frozen files have changed cannot be seen: " + e.getMessage());
    }
  }

  private static String whole(Image image, RepositoryState state) {
    if (!image.visible()) {
      return "Its data is whole.";
    }
    int below = state.mergedFrom(image).size();
    return below == 0
        ? "It is optimized: nothing is missing."
        : "It is optimized. The data of "
            + (below == 1 ? "a removed image" : below + " removed images")
            + " below goes into it, which frees space.";
  }

  private static String kept(Image image, List<Need> needs) {
    Instant until = image.retainedUntil();
    boolean retained = until != null && until.isAfter(Instant.now());
    String restorable =
        retained ? "can be restored without loss until " + FixObstacles.seconds(until) : "";
    if (needs.isEmpty()) {
      return retained
          ? "It was removed and " + restorable + "; then its space is freed."
          : "It is not visible and nothing needs it: its space will be freed.";
    }
    String because = "kept because " + Dependents.sentence(needs) + ".";
    return retained
        ? "It was removed and " + restorable + "; it is " + because
        : "It is not visible, and " + because;
  }

  /** The fix that improves the image, or the clean of an image that is not needed. */
  private static @Nullable FixState fixOf(Image image, RepositoryState state) {
    FixState better = state.fixOf(image);
    return better != null ? better : state.fixes().get(FixState.cleanId(image.volumeId()));
  }

  private ExplainedFix explained(ConnectedRepository repository, FixState fix, FixObstacles who) {
    String host = who.host(fix);
    Progress progress = fix.heavy() ? status.progress(repository, fix.id()) : null;
    return new ExplainedFix(
        fix.id(),
        fix.type(),
        who.stateOf(fix),
        host,
        host != null ? null : who.obstacle(fix),
        fix.retryAt(),
        fix.lastError(),
        progress);
  }
}
