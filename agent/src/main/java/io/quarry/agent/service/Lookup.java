package io.quarry.agent.service;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.Image;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds existing images: in all connected repositories, narrowed by the call's options. What is not
 * known here may have been committed through another host a moment ago, so the storage is asked
 * before an image is said to be missing.
 */
final class Lookup {
  private static final Logger LOG = LoggerFactory.getLogger(Lookup.class);

  private final Repositories repositories;

  Lookup(Repositories repositories) {
    this.repositories = repositories;
  }

  record Found(ConnectedRepository repository, Image image) {}

  /**
   * @param preferred looked at first
   */
  Found find(String imageId, ImageOptions options, ConnectedRepository preferred) {
    String hint = options.imageHints().get(imageId);
    if (hint != null) {
      return in(List.of(repositories.get(hint)), imageId, "repository " + hint + ", as hinted");
    }
    List<String> participating = options.participatingRepositories();
    if (participating != null) {
      return in(
          participating.stream().map(repositories::get).toList(),
          imageId,
          "the participating repositories");
    }
    List<ConnectedRepository> all = new java.util.ArrayList<>(List.of(preferred));
    repositories.all().stream().filter(one -> one != preferred).forEach(all::add);
    return in(all, imageId, "any repository connected on this host");
  }

  private Found in(List<ConnectedRepository> places, String imageId, String where) {
    for (ConnectedRepository place : places) {
      Image image = place.state().repository().strongImage(imageId);
      if (image != null) {
        return new Found(place, image);
      }
    }
    for (ConnectedRepository place : places) {
      Image image = newest(place).repository().strongImage(imageId);
      if (image != null) {
        return new Found(place, image);
      }
    }
    throw new StorageException(
        ErrorCode.IMAGE_NOT_FOUND,
        "there is no image " + imageId + " in " + where,
        imageId,
        "see where the image is, connect that repository on this host, and correct the hints");
  }

  /** One storage that does not answer says nothing about the others. */
  private LogState newest(ConnectedRepository place) {
    try {
      return repositories.newest(place);
    } catch (StorageException e) {
      LOG.debug("Looking for images in what is known of {}: {}", place.repoId(), e.getMessage());
      return place.state();
    }
  }
}
