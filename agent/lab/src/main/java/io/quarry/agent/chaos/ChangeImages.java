package io.quarry.agent.chaos;

import io.quarry.agent.chaos.RecordingClient.Ask;
import io.quarry.agent.chaos.RecordingClient.Errand;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StorageApi;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** The calls that change metadata of images, and the calls that remove images. */
final class ChangeImages {
  private static final int GROWTH_MAX = 16;
  private static final Set<ErrorCode> USED = EnumSet.of(ErrorCode.IMAGE_IN_USE);
  private static final Set<ErrorCode> RESIZE =
      EnumSet.of(ErrorCode.IMAGE_IN_USE, ErrorCode.IMAGE_BROKEN);

  private final SharedWorkload market;
  private final Random random;
  private final StorageApi api;
  private final RecordingClient teller;

  ChangeImages(SharedWorkload market, Random random, StorageApi api, RecordingClient teller) {
    this.market = market;
    this.random = random;
    this.api = api;
    this.teller = teller;
  }

  void resize(Owned disk) {
    Content grown = disk.content.grownTo(disk.content.chunks() + 1 + random.nextInt(GROWTH_MAX));
    Ask ask =
        (to, requestId) -> to.resizeImage(disk.repoId, disk.imageId, grown.bytes(), requestId);
    run("resizeImage", disk, RESIZE, ask, () -> disk.content = grown);
  }

  void userData(Owned image) {
    int changes = image.changes + 1;
    Ask ask =
        (to, requestId) ->
            to.setUserData(
                image.repoId,
                image.imageId,
                CreateImages.userData(image.maker, changes),
                requestId);
    run("setUserData", image, USED, ask, () -> image.changes = changes);
  }

  void remove(Owned image, boolean mayRetain) {
    boolean retain = random.nextInt(3) == 0 && mayRetain;
    // Only a guest that could not close its disk makes the SDM refuse this.
    remove(image, retain, random.nextInt(6) == 0);
  }

  /** Removes an image, even while this very customer has it open. */
  void remove(Owned image, boolean retain, boolean force) {
    RemoveImageOptions options =
        new RemoveImageOptions(
            random.nextInt(12) > 0, retain ? Owned.RETAIN : Duration.ZERO, force);
    market.snapshots().remove(image.repoId + "/" + image.imageId);
    Ask ask = (to, requestId) -> to.removeImage(image.repoId, image.imageId, options, requestId);
    run(
        "removeImage",
        image,
        force ? Set.of() : USED,
        ask,
        () -> image.state = retain ? Owned.State.RETAINED : Owned.State.REMOVED);
  }

  void restore(Owned image) {
    Ask ask = (to, requestId) -> to.restoreImage(image.repoId, image.imageId, requestId);
    run("restoreImage", image, Set.of(), ask, () -> image.state = Owned.State.VISIBLE);
  }

  private void run(String operation, Owned image, Set<ErrorCode> mayMeet, Ask ask, Runnable done) {
    teller.run(
        new Errand(
            operation,
            image.repoId,
            List.of(image),
            mayMeet,
            api,
            false,
            ask,
            answer -> done.run()));
  }
}
