package io.quarry.agent.chaos;

import io.quarry.agent.chaos.Arena.Member;
import io.quarry.agent.chaos.RecordingClient.Ask;
import io.quarry.agent.chaos.RecordingClient.Errand;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Compares images with their expected content, as guests and through agents. */
final class ReadImages {
  private static final Set<ErrorCode> OPENING =
      EnumSet.of(ErrorCode.IMAGE_BROKEN, ErrorCode.IMAGE_IN_USE);

  /** Refusals that a download may meet while hosts die. */
  private static final Set<ErrorCode> DOWNLOADING =
      EnumSet.of(
          ErrorCode.IMAGE_BROKEN,
          ErrorCode.IMAGE_IN_USE,
          ErrorCode.REPOSITORY_NOT_CONNECTED,
          ErrorCode.STORAGE_MISMATCH,
          ErrorCode.IMAGE_CHANGED);

  private final SharedWorkload market;
  private final Random random;
  private final StorageClient api;
  private final RecordingClient teller;

  ReadImages(SharedWorkload market, Random random, StorageClient api, RecordingClient teller) {
    this.market = market;
    this.random = random;
    this.api = api;
    this.teller = teller;
  }

  void compare(Owned image) {
    if (random.nextBoolean()) {
      download(image);
    } else {
      asGuest(image, market.members().get(random.nextInt(market.members().size())));
    }
  }

  private void download(Owned image) {
    try (ImageData data = api.downloadImage(image.repoId, image.imageId, DownloadRequest.WHOLE)) {
      judge(image, "a download", market.guest().compare(data.content(), image));
    } catch (StorageException e) {
      if (!e.code().retryable() && !DOWNLOADING.contains(e.code())) {
        market.history().violation("download of " + image + ": " + e.code() + " " + e.getMessage());
      }
    } catch (IOException e) {
      market.history().violation("download of " + image + ": " + e);
    }
  }

  void asGuest(Owned image, Member host) {
    StorageClient there = api.withAgents(List.of(host.agent()));
    Ask ask =
        (to, requestId) ->
            to.openImage(
                image.repoId, image.imageId, new OpenRequest(true, "chaos reader"), requestId);
    teller.run(
        new Errand(
            "openImage",
            image.repoId,
            List.of(image),
            OPENING,
            there,
            true,
            ask,
            answer -> readAndClose(image, (OpenedImage) answer.body())));
  }

  private void readAndClose(Owned image, OpenedImage opened) {
    try {
      judge(image, "a guest on " + opened.hostId(), market.guest().compare(opened, image));
    } catch (IOException e) {
      if (!market.guestsSuffer().getAsBoolean()) {
        market.history().violation("a guest cannot read " + image + ": " + e.getMessage());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Ask ask =
        (to, requestId) -> to.closeImage(image.repoId, image.imageId, opened.openId(), requestId);
    teller.run(
        new Errand(
            "closeImage", image.repoId, List.of(image), Set.of(), api, false, ask, answer -> {}));
  }

  private void judge(Owned image, String who, @Nullable String wrong) {
    if (wrong != null) {
      market.history().violation("wrong bytes in " + image + ", as " + who + " reads it: " + wrong);
    }
  }
}
