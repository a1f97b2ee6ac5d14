package io.quarry.agent.service;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.fix.InsufficientSpace;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.FixOwners;
import io.quarry.agent.storage.RepositoryStorage.Space;
import io.quarry.common.api.FixInfo;
import io.quarry.common.api.FixPage;
import io.quarry.common.api.FixQuery;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.ImagePage;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.PageQuery;
import io.quarry.common.api.RepositoryInfo;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Visibility;
import io.quarry.coordinator.cluster.Candidate;
import io.quarry.coordinator.log.LogDamagedException;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.LogTooNewException;
import io.quarry.coordinator.plan.Feature;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Lists a repository's own data, its images and its outstanding fixes. */
final class Listings {
  private static final long UNKNOWN = -1;

  private final Repositories repositories;
  private final StorageIo io;
  private final Status status;
  private final SpaceWaits space;

  Listings(Repositories repositories, StorageIo io, Status status, SpaceWaits space) {
    this.repositories = repositories;
    this.io = io;
    this.status = status;
    this.space = space;
  }

  RepositoryInfo repository(ConnectedRepository repository) {
    LogState state = repository.state();
    Space storage = new Space(UNKNOWN, UNKNOWN, true);
    String health =
        switch (repository.replica().unreadable()) {
          case LogDamagedException _ -> "damaged";
          case LogTooNewException _ -> "agentTooOld";
          case null ->
              repository.storageIdentity().difference() == null
                  ? health(repository)
                  : "otherStorage";
        };
    String reason = Repositories.trouble(repository);
    try {
      storage = io.call(repository, () -> repository.storage().space());
    } catch (StorageException e) {
      health = "unresponsive";
      reason = e.getMessage();
    }
    return new RepositoryInfo(
        repository.repoId(),
        repository.identity().format(),
        repository.identity().parameters(),
        storage.capacity(),
        storage.free(),
        repository.space().total(),
        repository.storage().traits().largestImage(),
        repository.storage().traits().frozenFiles(),
        repository.storage().traits().writersSeen(),
        repository.leader().map(Candidate::hostId).orElse(null),
        counts(state.repository()),
        state.repository().fixes().size(),
        health,
        reason,
        state.sequence(),
        repositories.kind(repository.repoId()).label(),
        List.copyOf(state.repository().schema().features().keySet()),
        Feature.names(state.repository().schema().lacking(Feature.KNOWN)));
  }

  private static String health(ConnectedRepository repository) {
    IOException fault = repository.pulse().fault();
    if (fault == null) {
      return "ok";
    }
    return switch (FileFailure.kindOf(fault)) {
      case READ_ONLY -> "readOnly";
      case FORBIDDEN -> "forbidden";
      case null, default -> "failing";
    };
  }

  private static Map<String, Integer> counts(RepositoryState state) {
    Map<String, Integer> counts = new HashMap<>();
    for (ImageState each : ImageState.values()) {
      counts.put(each.label(), 0);
    }
    counts.put("hidden", 0);
    for (Image image : state.images().values()) {
      counts.merge(image.visible() ? state.stateOf(image).label() : "hidden", 1, Integer::sum);
    }
    return counts;
  }

  ImageInfo image(ConnectedRepository repository, String imageId, long atLeast) {
    LogState state = Lookup.fresh(io, repository, repository.atLeast(atLeast), imageId);
    Image image = StorageService.require(state, imageId, repository.repoId());
    return io.call(
        repository,
        () ->
            ImageInfos.image(
                state.repository(), image, volume -> now(repository, volume), state.sequence()));
  }

  /** Only the meter knows the files of a volume that is not whole yet. */
  private static long now(ConnectedRepository repository, Volume volume) throws IOException {
    String file = volume.file();
    return file == null
        ? lately(repository, volume)
        : repository.storage().volumes().allocated(file);
  }

  /** A volume that is not whole yet need not have a file. */
  private static long lately(ConnectedRepository repository, Volume volume) {
    long bytes = repository.space().ofVolume(volume.id());
    return volume.file() == null ? Math.max(0, bytes) : bytes;
  }

  ImagePage images(ConnectedRepository repository, ImageQuery query) {
    LogState state = repository.atLeast(query.atLeast());
    return images(state, query, volume -> lately(repository, volume));
  }

  /** A page ends with the last image that it has room for, in number and in bytes. */
  static ImagePage images(
      LogState state, ImageQuery query, ImageInfos.Space<RuntimeException> space) {
    PageQuery page = new PageQuery(query.after(), query.limit());
    RepositoryState all = state.repository();
    var candidates =
        query.after() == null
            ? all.images().values()
            : all.images().tailMap(query.after(), false).values();
    return page.ofSorted(
        () -> candidates.stream().filter(image -> fits(all, image, query)).iterator(),
        Image::id,
        image -> ImageInfos.image(all, image, space, state.sequence()),
        (infos, next) -> new ImagePage(infos, next, state.sequence()));
  }

  private static boolean fits(RepositoryState state, Image image, ImageQuery query) {
    return shown(image, query.visibility())
        && (query.kind() == null || image.kind() == query.kind())
        && (query.state() == null || state.stateOf(image) == query.state())
        && (query.label() == null || labelled(image, query.label()));
  }

  private static boolean shown(Image image, Visibility visibility) {
    return switch (visibility) {
      case VISIBLE -> image.visible();
      case REMOVED -> image.retainedUntil() != null;
      case ALL -> true;
    };
  }

  private static boolean labelled(Image image, String label) {
    int equals = label.indexOf('=');
    if (equals < 0) {
      return image.userData().has(label);
    }
    JsonNode value = image.userData().get(label.substring(0, equals));
    return value != null && value.asText().equals(label.substring(equals + 1));
  }

  /** In the order of {@link #turn}, by which pages are cut. */
  FixPage fixes(ConnectedRepository repository, FixQuery query) {
    RepositoryState state = repository.atLeast(query.atLeast()).repository();
    List<FixState> turns = turns(state, query);
    FixOwners holders = FixOwners.of(repository);
    Map<String, InsufficientSpace> waiting = space.of(repository, turns, holders);
    return page(turns, query, fix -> fix(repository, state, fix, holders, waiting.get(fix.id())));
  }

  /** The fixes of the page, and one more if there is one. */
  static List<FixState> turns(RepositoryState state, FixQuery query) {
    PageQuery page = new PageQuery(query.after(), query.limit());
    return state.fixes().values().stream()
        .filter(fix -> page.after() == null || turn(fix).compareTo(page.after()) > 0)
        .sorted(Comparator.comparing(Listings::turn))
        .limit(page.limit() + 1L)
        .toList();
  }

  static FixPage page(List<FixState> turns, FixQuery query, Function<FixState, FixInfo> view) {
    return new PageQuery(query.after(), query.limit())
        .ofSorted(turns, Listings::turn, view, FixPage::new);
  }

  /** Sorts by priority, then by id. */
  private static String turn(FixState fix) {
    return "%03d:%s".formatted(fix.type().priority(), fix.id());
  }

  private FixInfo fix(
      ConnectedRepository repository,
      RepositoryState state,
      FixState fix,
      FixOwners holders,
      @Nullable InsufficientSpace shortage) {
    return new FixInfo(
        fix.id(),
        fix.type(),
        state.beneficiaryOf(fix),
        holders.stateOf(fix, shortage != null),
        fix.type().priority(),
        fix.failures(),
        holders.hostOf(fix),
        fix.retryAt(),
        fix.lastError(),
        shortage == null ? null : shortage.text(),
        status.progress(repository, fix.id()));
  }
}
