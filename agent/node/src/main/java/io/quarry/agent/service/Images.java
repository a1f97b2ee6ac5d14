package io.quarry.agent.service;

import io.quarry.agent.fix.SourcePins;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.Drain;
import io.quarry.common.api.Committed;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.CreateSnapshotRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UserData;
import io.quarry.common.model.ImageKind;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.CopyImage;
import io.quarry.coordinator.plan.CreateSnapshot;
import io.quarry.coordinator.plan.CreateVirtualDisk;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.PinAsBase;
import io.quarry.coordinator.plan.PinForCopy;
import io.quarry.coordinator.plan.RemoveImage;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RequestId;
import io.quarry.coordinator.plan.ResizeImage;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.CopySource;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The operations that make images. */
final class Images {
  private static final Logger LOG = LoggerFactory.getLogger(Images.class);

  private final Repositories repositories;
  private final Idempotency repeats;
  private final Lookup lookup;
  private final Worker self;
  private final Drain drain;
  private final LightMends mends;
  private final ForeignWriters foreign;

  Images(
      Repositories repositories,
      Worker self,
      Drain drain,
      LightMends mends,
      ForeignWriters foreign) {
    this.repositories = repositories;
    this.repeats = new Idempotency(repositories);
    this.lookup = new Lookup(repositories);
    this.self = self;
    this.drain = drain;
    this.mends = mends;
    this.foreign = foreign;
  }

  /**
   * The worker that does light mends at once; null on a drained host, whose fixes the SDM grants
   * elsewhere.
   */
  private @Nullable Worker worker() {
    return drain.drained() ? null : self;
  }

  CreatedImage createVirtualDisk(
      String repoId, CreateVirtualDiskRequest request, @Nullable String givenId) {
    RequestId requestId = ArgumentChecks.requestId(givenId);
    ConnectedRepository target = repositories.get(repoId);
    UserData.check(request.userData());
    return once(
        requestId,
        target,
        "createVirtualDisk",
        () -> createVirtualDisk(target, request, requestId));
  }

  private CreatedImage createVirtualDisk(
      ConnectedRepository target, CreateVirtualDiskRequest request, RequestId requestId) {
    target.storage().requireHolds(request.size());
    String base = request.baseSnapshotId();
    Lookup.Found found = base == null ? null : lookup.find(base, request.options(), target);
    if (found == null || found.repository() == target) {
      return created(target.commit(requestId, disk(fresh(), fresh(), request, null)));
    }
    return pinAndCreate(requestId, target, found, request);
  }

  private CreateVirtualDisk disk(
      String imageId,
      String volumeId,
      CreateVirtualDiskRequest request,
      CreateVirtualDisk.@Nullable Elsewhere base) {
    return new CreateVirtualDisk(
        imageId,
        volumeId,
        request.size(),
        request.baseSnapshotId(),
        base,
        request.options().strategy(),
        request.options().autoFix(),
        request.userData(),
        worker());
  }

  /** As with copies, the pin comes first. */
  private CreatedImage pinAndCreate(
      RequestId requestId,
      ConnectedRepository target,
      Lookup.Found base,
      CreateVirtualDiskRequest request) {
    String newId = derived(requestId, target, "image");
    CopySource pinned =
        pin(
            base.repository(),
            base.image().id(),
            pinId -> new PinAsBase(pinId, base.image().id(), target.key(), newId, request.size()));
    var elsewhere =
        new CreateVirtualDisk.Elsewhere(
            pinned, base.image().size(), derived(requestId, target, "base"));
    return commitPinned(
        requestId,
        target,
        pinned,
        disk(newId, derived(requestId, target, "volume"), request, elsewhere));
  }

  CreatedImage createSnapshot(
      String repoId, CreateSnapshotRequest request, @Nullable String givenId) {
    RequestId requestId = ArgumentChecks.requestId(givenId);
    ConnectedRepository target = repositories.get(repoId);
    UserData.check(request.userData());
    return once(
        requestId, target, "createSnapshot", () -> createSnapshot(target, request, requestId));
  }

  private CreatedImage createSnapshot(
      ConnectedRepository target, CreateSnapshotRequest request, RequestId requestId) {
    var _ = lookup.findIn(target, request.baseVirtualDiskId(), request.options());
    mends.await(target, request.baseVirtualDiskId());
    Volume frozen = foreign.before(target, request.baseVirtualDiskId());
    String snapshotId = fresh();
    String overlayId = fresh();
    Reply reply =
        mends.commit(
            target,
            request.baseVirtualDiskId(),
            requestId,
            new CreateSnapshot(
                snapshotId,
                request.baseVirtualDiskId(),
                overlayId,
                request.options().autoFix(),
                request.userData(),
                worker()));
    if (reply.id().equals(snapshotId)) {
      requireStill(target, request.baseVirtualDiskId(), frozen, snapshotId);
    }
    return created(reply);
  }

  /** A disk that a foreign process writes to must not become a snapshot's content. */
  private void requireStill(
      ConnectedRepository target, String diskId, @Nullable Volume frozen, String snapshotId) {
    try {
      foreign.after(target, diskId, frozen);
    } catch (StorageException e) {
      if (e.code() == ErrorCode.IMAGE_IN_USE) {
        throw notTaken(target, snapshotId, e);
      }
      // The snapshot is committed; a later step reports the fault of the storage.
    }
  }

  private static StorageException notTaken(
      ConnectedRepository target, String snapshotId, StorageException why) {
    try {
      var _ = target.commit(fresh(), new RemoveImage(snapshotId, true, null, false));
      return why;
    } catch (StorageException e) {
      return new StorageException(
          why.code(),
          why.getMessage()
              + "; snapshot "
              + snapshotId
              + " was made, and stays for now: "
              + e.getMessage(),
          String.valueOf(why.subject()),
          "remove snapshot " + snapshotId + ", and then " + why.remedy(),
          e);
    }
  }

  Committed resizeImage(String repoId, String imageId, long size, @Nullable String givenId) {
    RequestId requestId = ArgumentChecks.requestId(givenId);
    ConnectedRepository target = repositories.get(repoId);
    target.storage().requireHolds(size);
    mends.await(target, imageId);
    // One look is enough: a late writer continues below the overlay, in a volume that no call can
    // reach.
    var _ = foreign.before(target, imageId);
    Reply reply =
        mends.commit(
            target, imageId, requestId, new ResizeImage(imageId, size, fresh(), fresh(), worker()));
    return new Committed(reply.commit());
  }

  CreatedImage copyImage(String repoId, CopyImageRequest request, @Nullable String givenId) {
    RequestId requestId = ArgumentChecks.requestId(givenId);
    ConnectedRepository target = repositories.get(repoId);
    UserData.check(request.userData());
    return once(requestId, target, "copyImage", () -> copyImage(target, request, requestId));
  }

  private CreatedImage copyImage(
      ConnectedRepository target, CopyImageRequest request, RequestId requestId) {
    Lookup.Found found = lookup.find(request.imageId(), request.options(), target);
    FaultPoints.reach("copy.found");
    ConnectedRepository source = found.repository();
    Image image = found.image();
    String base = request.baseImageId();
    if (base != null && request.options().imageHints().containsKey(base)) {
      // The difference is taken where both images are; the base's hint may name another copy of the
      // base.
      var _ = lookup.find(base, request.options(), source);
    }
    if (image.kind() == ImageKind.SNAPSHOT && source == target) {
      // A copy that exists already causes no commit, so its own state must be durable.
      LogState now = repositories.newest(target);
      return now.repository().visibleImage(image.id()) == null
          ? copyImage(target, request, requestId)
          : new CreatedImage(image.id(), now.sequence());
    }
    return pinAndCopy(requestId, target, source, image, request);
  }

  private static CreatedImage created(Reply reply) {
    return new CreatedImage(reply.id(), reply.commit());
  }

  /** A repeated call pins no second time. */
  private CreatedImage once(
      RequestId requestId,
      ConnectedRepository target,
      String operation,
      Supplier<CreatedImage> firstTime) {
    return repeats.once(
        requestId, target, firstTime, reply -> created(reply.repeated(requestId, operation)));
  }

  /**
   * The pin comes first: from then on no clean can remove the source. All ids follow from the
   * request id, so that a call that is repeated half-way uses the same pin.
   */
  private CreatedImage pinAndCopy(
      RequestId requestId,
      ConnectedRepository target,
      ConnectedRepository source,
      Image image,
      CopyImageRequest request) {
    boolean disk = image.kind() == ImageKind.VIRTUAL_DISK;
    mends.await(source, image.id());
    Volume frozen = disk ? foreign.before(source, image.id()) : null;
    target.storage().requireHolds(sizeOf(source.state(), image.id(), image));
    String newId = disk ? derived(requestId, target, "image") : image.id();
    CopySource pinned =
        pin(
            source,
            image.id(),
            pinId ->
                new PinForCopy(
                    pinId,
                    image.id(),
                    derived(pinId, "snapshot"),
                    derived(pinId, "overlay"),
                    target.key(),
                    newId,
                    request.baseImageId(),
                    worker()));
    long size;
    try {
      foreign.after(source, image.id(), frozen);
      // The size of the pinned source: the disk may have been resized since it was found.
      size = sizeOf(repositories.newest(source), pinned.imageId(), image);
    } catch (StorageException e) {
      release(pinned, target.state().repository());
      throw e;
    }
    return commitPinned(
        requestId,
        target,
        pinned,
        new CopyImage(
            newId,
            derived(requestId, target, "volume"),
            image.kind(),
            size,
            request.baseImageId(),
            pinned,
            request.options().strategy(),
            request.options().autoFix(),
            request.userData()));
  }

  private static long sizeOf(LogState state, String imageId, Image otherwise) {
    return state.repository().images().getOrDefault(imageId, otherwise).size();
  }

  /**
   * Each call has a pin of its own, and so has a repeated one. The pin that a call names in the
   * target's log must not be released by another call or the reaper.
   */
  private CopySource pin(
      ConnectedRepository source, String imageId, Function<String, Request> request) {
    String pinId = fresh();
    Reply reply = mends.commit(source, imageId, RequestId.of(pinId), request.apply(pinId));
    FaultPoints.reach("copy.pinned");
    return new CopySource(source.key(), reply.id(), pinId);
  }

  private CreatedImage commitPinned(
      RequestId requestId, ConnectedRepository target, CopySource pinned, Request request) {
    Reply reply;
    try {
      reply = target.commit(requestId, request);
    } catch (StorageException e) {
      if (!e.code().retryable()) {
        release(pinned, target.state().repository());
      }
      throw e;
    }
    FaultPoints.reach("call.committed");
    try {
      // A copy that existed already needs no pin.
      release(pinned, target.atLeast(reply.commit()).repository());
    } catch (StorageException e) {
      // The image exists all the same; the reaper removes the stale pin.
      LOG.warn("The pin {} stays for now: {}", pinned.pinId(), e.getMessage());
    }
    return created(reply);
  }

  private void release(CopySource pinned, RepositoryState target) {
    SourcePins.release(repositories::holder, List.of(pinned), target);
  }

  /**
   * A caller may use one request id in two repositories, so ids made from it include the
   * repository.
   */
  private static String derived(RequestId requestId, ConnectedRepository target, String step) {
    return derived(requestId.value() + "/" + target.key(), step);
  }

  private static String derived(String from, String step) {
    return UUID.nameUUIDFromBytes((step + "/" + from).getBytes(StandardCharsets.UTF_8)).toString();
  }

  private static String fresh() {
    return UUID.randomUUID().toString();
  }
}
