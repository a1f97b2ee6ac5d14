package io.quarry.agent.service;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.Drain;
import io.quarry.common.api.Committed;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.CreateSnapshotRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.ImageState;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.CopyImage;
import io.quarry.coordinator.plan.CreateSnapshot;
import io.quarry.coordinator.plan.CreateVirtualDisk;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.PinForCopy;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.ResizeImage;
import io.quarry.coordinator.plan.Unpin;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.CopySource;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The operations that make images. */
final class Images {
  private static final Logger LOG = LoggerFactory.getLogger(Images.class);

  /** How long a call waits for an overlay that is being made in these milliseconds. */
  private static final Duration LIGHT_MEND = Duration.ofSeconds(10);

  private final Repositories repositories;
  private final Lookup lookup;
  private final Worker self;
  private final Drain drain;

  Images(Repositories repositories, Worker self, Drain drain) {
    this.repositories = repositories;
    this.lookup = new Lookup(repositories);
    this.self = self;
    this.drain = drain;
  }

  /** Who does light mends at once; a drained host leaves it to the SDM to find another one. */
  private @Nullable Worker worker() {
    return drain.drained() ? null : self;
  }

  CreatedImage createVirtualDisk(
      String repoId, CreateVirtualDiskRequest request, @Nullable String givenId) {
    String requestId = Names.requestId(givenId);
    ConnectedRepository target = repositories.get(repoId);
    Names.checkUserData(request.userData());
    String base = request.baseSnapshotId();
    if (base != null) {
      if (lookup.find(base, request.options(), target).repository() != target) {
        throw Names.notImplemented("a base snapshot in another repository");
      }
    }
    String volumeId = fresh();
    Reply reply =
        target.commit(
            requestId,
            new CreateVirtualDisk(
                fresh(),
                volumeId,
                request.size(),
                base,
                request.options().strategy(),
                request.options().autoFix(),
                request.userData(),
                worker()));
    return new CreatedImage(reply.id(), reply.commit());
  }

  CreatedImage createSnapshot(
      String repoId, CreateSnapshotRequest request, @Nullable String givenId) {
    String requestId = Names.requestId(givenId);
    ConnectedRepository target = repositories.get(repoId);
    Names.checkUserData(request.userData());
    awaitLightMend(target, request.baseVirtualDiskId());
    String overlayId = fresh();
    Reply reply =
        target.commit(
            requestId,
            new CreateSnapshot(
                fresh(),
                request.baseVirtualDiskId(),
                overlayId,
                request.options().autoFix(),
                request.userData(),
                worker()));
    return new CreatedImage(reply.id(), reply.commit());
  }

  Committed resizeImage(String repoId, String imageId, long size, @Nullable String givenId) {
    String requestId = Names.requestId(givenId);
    ConnectedRepository target = repositories.get(repoId);
    awaitLightMend(target, imageId);
    Reply reply =
        target.commit(requestId, new ResizeImage(imageId, size, fresh(), fresh(), worker()));
    return new Committed(reply.commit());
  }

  CreatedImage copyImage(String repoId, CopyImageRequest request, @Nullable String givenId) {
    String requestId = Names.requestId(givenId);
    ConnectedRepository target = repositories.get(repoId);
    Names.checkUserData(request.userData());
    Reply earlier = target.state().repository().requests().find(requestId);
    if (earlier != null) {
      return repeated(requestId, earlier);
    }
    Lookup.Found found = lookup.find(request.imageId(), request.options(), target);
    ConnectedRepository source = found.repository();
    Image image = found.image();
    if (image.kind() == ImageKind.SNAPSHOT && source == target) {
      return new CreatedImage(image.id(), target.state().sequence());
    }
    return pinAndCopy(requestId, target, source, image, request);
  }

  /** What the copy was answered the first time; nothing is pinned again. */
  private static CreatedImage repeated(String requestId, Reply earlier) {
    if (!earlier.operation().equals("copyImage")) {
      throw new StorageException(
          ErrorCode.REQUEST_ID_REUSED,
          "request id " + requestId + " was used for " + earlier.operation(),
          requestId,
          "use a fresh request id for each call, and the same one only to repeat it");
    }
    return new CreatedImage(earlier.id(), earlier.commit());
  }

  /**
   * The pin comes first: from then on nothing can clean the source away. All ids follow from the
   * request id, so that a call that is repeated half-way goes on with the pin it has made.
   */
  private CreatedImage pinAndCopy(
      String requestId,
      ConnectedRepository target,
      ConnectedRepository source,
      Image image,
      CopyImageRequest request) {
    boolean disk = image.kind() == ImageKind.VIRTUAL_DISK;
    awaitLightMend(source, image.id());
    String newId = disk ? derived(requestId, "image") : image.id();
    String overlayId = derived(requestId, "overlay");
    String pinId = derived(requestId, "pin");
    Reply pinned =
        source.commit(
            pinId,
            new PinForCopy(
                pinId,
                image.id(),
                derived(requestId, "snapshot"),
                overlayId,
                target.key(),
                newId,
                request.baseImageId(),
                worker()));
    CopyImage copy =
        new CopyImage(
            newId,
            derived(requestId, "volume"),
            image.kind(),
            image.size(),
            request.baseImageId(),
            new CopySource(source.key(), pinned.id(), pinId),
            request.options().strategy(),
            request.options().autoFix(),
            request.userData());
    try {
      Reply reply = target.commit(requestId, copy);
      unpinIfUnused(target, source, reply, pinId);
      return new CreatedImage(reply.id(), reply.commit());
    } catch (StorageException e) {
      if (!e.code().retryable()) {
        source.commit(fresh(), new Unpin(pinId));
      }
      throw e;
    }
  }

  /** The snapshot was there already: nothing is copied, so nothing needs the pin. */
  private static void unpinIfUnused(
      ConnectedRepository target, ConnectedRepository source, Reply reply, String pinId) {
    LogState state = target.atLeast(reply.commit());
    Image image = state.repository().images().get(reply.id());
    Volume volume = image == null ? null : state.repository().volumeOf(image);
    boolean used =
        volume != null
            && volume.stage() == Volume.Stage.INTENDED
            && volume.source() != null
            && volume.source().pinId().equals(pinId);
    if (!used) {
      try {
        source.commit(fresh(), new Unpin(pinId));
      } catch (StorageException e) {
        LOG.warn("The pin {} stays for now: {}", pinId, e.getMessage());
      }
    }
  }

  /** An image that is broken only until its overlay exists is as good as whole. */
  void awaitLightMend(ConnectedRepository repository, String imageId) {
    // An overlay that was asked for a moment ago may not have reached this host's replica.
    LogState state = repositories.newest(repository);
    Image image = state.repository().strongImage(imageId);
    if (image == null || state.repository().stateOf(image) != ImageState.BROKEN) {
      return;
    }
    FixState mend = state.repository().fixes().get(FixState.mendId(image.volumeId()));
    if (mend != null && mend.wanted() && !mend.heavy()) {
      repository
          .replica()
          .await(
              now -> {
                Image then = now.repository().strongImage(imageId);
                return then == null || now.repository().stateOf(then) != ImageState.BROKEN;
              },
              LIGHT_MEND);
    }
  }

  private static String derived(String requestId, String step) {
    return UUID.nameUUIDFromBytes((step + "/" + requestId).getBytes(StandardCharsets.UTF_8))
        .toString();
  }

  private static String fresh() {
    return UUID.randomUUID().toString();
  }
}
