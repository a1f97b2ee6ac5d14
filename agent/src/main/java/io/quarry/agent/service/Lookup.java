package io.quarry.agent.service;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.plan.Image;
import java.util.List;

/** Finds existing images: in all connected repositories, narrowed by the call's options. */
final class Lookup {
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

  private static Found in(List<ConnectedRepository> places, String imageId, String where) {
    for (ConnectedRepository place : places) {
      Image image = place.state().repository().strongImage(imageId);
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
}
