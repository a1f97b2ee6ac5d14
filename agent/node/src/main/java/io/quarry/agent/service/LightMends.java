package io.quarry.agent.service;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageState;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RequestId;
import java.time.Duration;

/**
 * Images that are broken for the milliseconds in which Quarry makes an overlay for them. Calls wait
 * for these images. When many snapshots and copies of one disk run at once, each of them breaks the
 * disk for the others.
 */
final class LightMends {
  /** How long a call waits for overlays, however many other calls break its image meanwhile. */
  static final Duration WAIT_MAX = Duration.ofSeconds(10);

  private static final long PAUSE_MILLIS = 20;

  private final Repositories repositories;

  LightMends(Repositories repositories) {
    this.repositories = repositories;
  }

  /** Returns at once for an image that is whole, or whose mend is not light. */
  void await(ConnectedRepository repository, String imageId) {
    if (isUnderWay(repositories.newest(repository).repository(), imageId)) {
      var _ = repository.await(now -> !isUnderWay(now.repository(), imageId), WAIT_MAX);
    }
  }

  /** Commits a request that needs a whole image, between the requests that break the image. */
  Reply commit(
      ConnectedRepository repository, String imageId, RequestId requestId, Request request) {
    long deadline = System.nanoTime() + WAIT_MAX.toNanos();
    while (true) {
      await(repository, imageId);
      try {
        return repository.commit(requestId, request);
      } catch (StorageException e) {
        boolean passes = e.code() == ErrorCode.IMAGE_BROKEN && passes(repository, imageId);
        if (!passes || System.nanoTime() - deadline > 0) {
          throw e;
        }
        pause(e);
      }
    }
  }

  /** Waits before the next try: the log may have recorded the refusal, which then comes at once. */
  private static void pause(StorageException refusal) {
    try {
      Thread.sleep(PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw refusal;
    }
  }

  private boolean passes(ConnectedRepository repository, String imageId) {
    RepositoryState state = repositories.newest(repository).repository();
    Image image = state.visibleImage(imageId);
    return image == null || state.isWhole(image) || isUnderWay(state, imageId);
  }

  private static boolean isUnderWay(RepositoryState state, String imageId) {
    Image image = state.visibleImage(imageId);
    if (image == null || state.stateOf(image) != ImageState.BROKEN) {
      return false;
    }
    FixState mend = state.fixes().get(FixState.mendId(image.volumeId()));
    // A failed mend pauses for seconds, and may fail again.
    return mend != null && mend.wanted() && !mend.heavy() && mend.failures() == 0;
  }
}
