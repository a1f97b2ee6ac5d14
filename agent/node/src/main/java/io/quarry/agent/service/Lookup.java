package io.quarry.agent.service;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds existing images in all connected repositories, narrowed by the call's options. Several
 * repositories may hold the same snapshot, and any whole one will do. Another host may have
 * committed an image a moment ago. So the storage is asked before an image is reported missing.
 */
final class Lookup {
  private static final Logger LOG = LoggerFactory.getLogger(Lookup.class);

  private final Repositories repositories;

  Lookup(Repositories repositories) {
    this.repositories = repositories;
  }

  record Found(ConnectedRepository repository, Image image) {}

  /**
   * The state by which an image is described. Another host may have made or mended the image a
   * moment ago. So the storage is asked before the image is reported missing or broken. A storage
   * that does not answer changes nothing.
   */
  static LogState fresh(
      StorageIo io, ConnectedRepository repository, LogState known, String imageId) {
    Image image = known.repository().images().get(imageId);
    if (image != null && known.repository().isWhole(image)) {
      return known;
    }
    try {
      return io.call(repository, () -> repository.replica().refresh());
    } catch (StorageException e) {
      LOG.debug("Telling what is known of {}: {}", repository.repoId(), e.getMessage());
      return known;
    }
  }

  /** The image in one repository, for operations that work there. */
  Image findIn(ConnectedRepository target, String imageId, ImageOptions options) {
    Found found = find(imageId, options, target);
    if (found.repository() != target) {
      throw new StorageException(
          ErrorCode.IMAGE_NOT_FOUND,
          "image " + imageId + " is not in repository " + target.repoId(),
          imageId,
          "call it for repository " + found.repository().repoId() + ", where the image is");
    }
    return found.image();
  }

  /**
   * @param preferred examined first, if the options do not exclude it
   */
  Found find(String imageId, ImageOptions options, ConnectedRepository preferred) {
    String hint = options.imageHints().get(imageId);
    if (hint != null) {
      return in(List.of(repositories.get(hint)), imageId, "repository " + hint + ", as hinted");
    }
    List<String> participating = options.participatingRepositories();
    if (participating != null) {
      List<ConnectedRepository> narrowed =
          participating.stream().map(repositories::get).distinct().toList();
      return in(first(preferred, narrowed), imageId, "the participating repositories");
    }
    return in(
        first(preferred, repositories.all()), imageId, "any repository connected on this host");
  }

  private static List<ConnectedRepository> first(
      ConnectedRepository preferred, List<ConnectedRepository> places) {
    return places.stream().sorted(Comparator.comparing(place -> place != preferred)).toList();
  }

  private Found in(List<ConnectedRepository> places, String imageId, String where) {
    Found known = in(places, imageId, ConnectedRepository::state);
    Found found = known == null ? in(places, imageId, this::newest) : known;
    if (found != null) {
      return found;
    }
    throw new StorageException(
        ErrorCode.IMAGE_NOT_FOUND,
        "there is no image " + imageId + " in " + where,
        imageId,
        "see where the image is, connect that repository on this host, and correct the hints");
  }

  /** An image whose data is all in one place, else one that is whole, else the first. */
  private static @Nullable Found in(
      List<ConnectedRepository> places,
      String imageId,
      Function<ConnectedRepository, LogState> states) {
    Found best = null;
    int bestLacks = Integer.MAX_VALUE;
    for (ConnectedRepository place : places) {
      RepositoryState state = states.apply(place).repository();
      Image image = state.visibleImage(imageId);
      if (image != null && lacks(state, image) < bestLacks) {
        best = new Found(place, image);
        bestLacks = lacks(state, image);
      }
    }
    return best;
  }

  private static int lacks(RepositoryState state, Image image) {
    if (!state.isWhole(image)) {
      return 2;
    }
    return state.layersOf(image).elsewhere() == null ? 0 : 1;
  }

  /** When one storage does not answer, the known state of its repository counts. */
  private LogState newest(ConnectedRepository place) {
    try {
      return repositories.newest(place);
    } catch (StorageException e) {
      LOG.debug("Looking for images in what is known of {}: {}", place.repoId(), e.getMessage());
      return place.state();
    }
  }
}
