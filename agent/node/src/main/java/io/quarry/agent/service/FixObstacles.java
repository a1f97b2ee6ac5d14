package io.quarry.agent.service;

import io.quarry.agent.fix.InsufficientSpace;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.FixOwners;
import io.quarry.agent.repository.FixRequirements;
import io.quarry.common.api.ImageExplanation.ExplainedFix;
import io.quarry.common.api.ImageExplanation.Obstacle;
import io.quarry.common.model.Progress;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.Hold;
import io.quarry.coordinator.plan.RepositoryState;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Tells which host works on a fix right now, or why no host does. */
final class FixObstacles {
  private final ConnectedRepository repository;
  private final RepositoryState state;
  private final List<HostRecord> hosts;
  private final FixOwners holders;
  private final @Nullable InsufficientSpace shortage;

  /**
   * @param shortage of space for the fix in question
   */
  FixObstacles(
      ConnectedRepository repository,
      RepositoryState state,
      List<HostRecord> hosts,
      @Nullable InsufficientSpace shortage) {
    this.repository = repository;
    this.state = state;
    this.hosts = hosts;
    this.holders = FixOwners.of(repository);
    this.shortage = shortage;
  }

  /** Null when no host works on the fix, or when the host that holds the fix finds no space. */
  @Nullable String host(FixState fix) {
    return shortage == null ? holders.hostOf(fix) : null;
  }

  /** The state as callers see it. */
  String stateOf(FixState fix) {
    return holders.stateOf(fix, shortage != null);
  }

  Obstacle obstacle(FixState fix) {
    Hold hold = Hold.of(fix);
    if (hold != null) {
      return switch (hold) {
        case Hold.Unrequested _ -> Obstacle.NOT_ASKED;
        case Hold.Stopped _ -> Obstacle.STOPPED;
        case Hold.Parked _ -> Obstacle.PARKED;
        case Hold.Paused _ -> Obstacle.PAUSED;
      };
    }
    Set<String> needed = FixRequirements.required(fix, state, repository.key());
    List<HostRecord> able =
        hosts.stream()
            .filter(host -> needed.stream().allMatch(key -> FixRequirements.reaches(host, key)))
            .toList();
    if (able.isEmpty()) {
      return Obstacle.UNREACHABLE;
    }
    if (able.stream().allMatch(HostRecord::drained)) {
      return Obstacle.DRAINED;
    }
    if (fix.retained()) {
      return Obstacle.RETAINED;
    }
    if (fix.retryAt() != null) {
      return Obstacle.RETRYING;
    }
    if (shortage != null) {
      return Obstacle.NO_SPACE;
    }
    return repository.leader().isEmpty() ? Obstacle.NO_SDM : Obstacle.QUEUED;
  }

  /** The fix and its host in one sentence, for operators. */
  String sentence(FixState fix, ExplainedFix explained) {
    if (explained.hostId() != null) {
      Progress progress = explained.progress();
      return explained.hostId()
          + " works on it now (fix "
          + fix.id()
          + ")"
          + (progress == null ? "" : ": " + progress.stageName() + percent(progress))
          + ".";
    }
    Obstacle obstacle = Objects.requireNonNull(explained.obstacle());
    return "No host works on it (fix " + fix.id() + "): " + why(fix, obstacle) + ".";
  }

  private static String percent(Progress progress) {
    return progress.percentComplete() < 0 ? "" : ", " + progress.percentComplete() + " %";
  }

  /**
   * The hosts' reason why no host works on the fix, for operators; null when the hosts are not the
   * reason.
   */
  @Nullable String fault(FixState fix) {
    if (host(fix) != null) {
      return null;
    }
    Obstacle obstacle = obstacle(fix);
    return switch (obstacle) {
      case UNREACHABLE, DRAINED, NO_SPACE -> why(fix, obstacle);
      default -> null;
    };
  }

  private String why(FixState fix, Obstacle obstacle) {
    return switch (obstacle) {
      case NOT_ASKED, STOPPED, PARKED, PAUSED ->
          "it " + Objects.requireNonNull(Hold.of(fix)).detail();
      case RETRYING ->
          "it failed with: " + fix.lastError() + "; the next try is at " + seconds(fix.retryAt());
      case RETAINED -> "the removal can be undone until " + seconds(fix.retryAt());
      case UNREACHABLE ->
          "no live host reaches " + names(FixRequirements.required(fix, state, repository.key()));
      case DRAINED -> "the hosts that could are drained";
      case NO_SPACE -> Objects.requireNonNull(shortage).text();
      case NO_SDM -> noSdm();
      case QUEUED -> "it waits for its turn";
    };
  }

  private String noSdm() {
    String unfit = repository.whyUnfitToLead();
    return "no host is elected to hand it out"
        + (unfit == null ? ", which takes seconds at most" : "; this host must not lead: " + unfit);
  }

  /** Seconds are precise enough for an operator. */
  static String seconds(@Nullable Instant time) {
    return String.valueOf(time == null ? null : time.truncatedTo(ChronoUnit.SECONDS));
  }

  private String names(Set<String> keys) {
    RepositoryNames known = new RepositoryNames(hosts);
    Set<String> names = new TreeSet<>();
    for (String key : keys) {
      names.add(
          Objects.requireNonNullElse(
              known.of(key), "a repository that none of them has connected"));
    }
    return (names.size() > 1 ? "all of " : "") + String.join(" and ", names);
  }
}
