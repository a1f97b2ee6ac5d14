package io.quarry.agent.service;

import io.quarry.agent.data.Throttle;
import io.quarry.agent.fix.FixContext;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.storage.Checkpoint;
import io.quarry.agent.storage.Claim;
import io.quarry.agent.storage.WorkStore;
import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.FinishUploadRequest;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.api.UploadRange;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.cluster.HostRegistry;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.BeginUpload;
import io.quarry.coordinator.plan.CloseImage;
import io.quarry.coordinator.plan.Feature;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.RequestId;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.thread.Loop;
import io.quarry.coordinator.thread.Supervisor;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Receives uploads into disks. The storage holds all that any agent needs to continue one. */
final class Uploads implements AutoCloseable {
  /**
   * The time for copying what another agent made durable, when its file cannot be continued. Time
   * in the throttle comes on top.
   */
  private static final Duration TAKE_DEADLINE = Duration.ofMinutes(10);

  /** The number of other copies that may share the throttle. */
  private static final long COPIES_BESIDE = 8;

  /** A qcow2 file has tables beside its data, and may store zeros as data. */
  private static final long FILE_PER_DISK_MAX = 2;

  private static final long FILE_BYTES_ALWAYS = 64 << 20;

  /**
   * How soon this agent closes files of uploads that ended at another agent, or with their image.
   */
  private static final Duration ROUND = Duration.ofSeconds(1);

  /** A live host that has received no range for so long is not the one that the caller reaches. */
  private static final Duration HOLDER_IDLE = Duration.ofMinutes(2);

  private final Worker self;
  private final Repositories repositories;
  private final Idempotency repeats;
  private final StorageIo io;
  private final FixContext context;
  private final HostRegistry hosts;
  private final ForeignWriters foreign;
  private final LightMends mends;
  private final UploadWorkers workers;
  private final Loop loop = new Loop("uploads", ROUND, this::round);
  private final Map<String, Upload> taken = new ConcurrentHashMap<>();

  /** Uploads that this agent has left, while their calls still hang in the storage. */
  private final Set<Upload> leaving = ConcurrentHashMap.newKeySet();

  /** One upload whose bytes are copied slowly keeps no other waiting. */
  private final KeyedLock taking = new KeyedLock();

  Uploads(
      Worker self,
      Repositories repositories,
      StorageIo io,
      FixContext context,
      HostRegistry hosts,
      ForeignWriters foreign,
      LightMends mends,
      Supervisor supervisor) {
    this.self = self;
    this.repositories = repositories;
    this.repeats = new Idempotency(repositories);
    this.io = io;
    this.context = context;
    this.hosts = hosts;
    this.foreign = foreign;
    this.mends = mends;
    this.workers = UploadWorkers.of(supervisor);
    loop.start(supervisor);
  }

  UploadInfo begin(
      ConnectedRepository repository,
      String imageId,
      BeginUploadRequest request,
      RequestId requestId) {
    return repeats.once(
        requestId,
        repository,
        () -> {
          requireFiles(repository);
          mends.await(repository, imageId);
          Volume top = foreign.before(repository, imageId);
          Image disk = disk(repository, imageId);
          Open.Received received = received(request, disk);
          requireSpace(repository, request);
          String uploadId = UUID.randomUUID().toString();
          Reply reply =
              mends.commit(
                  repository,
                  imageId,
                  requestId,
                  new BeginUpload(
                      uploadId, imageId, UUID.randomUUID().toString(), self.hostId(), received));
          if (reply.id().equals(uploadId)) {
            requireStill(repository, imageId, uploadId, top);
          }
          return begun(repository, disk, requestId, request, reply);
        },
        reply ->
            begun(
                repository,
                known(repository, imageId, reply),
                requestId,
                request,
                reply.repeated(requestId, "beginUpload")));
  }

  /** An upload needs a file that begins empty and grows. */
  private static void requireFiles(ConnectedRepository repository) {
    if (repository.state().repository().schema().has(Feature.EXTENTS)) {
      throw new StorageException(
          ErrorCode.UPLOAD_REFUSED,
          "repository "
              + repository.repoId()
              + " keeps volumes on block devices and takes no uploads",
          repository.repoId(),
          "upload into a repository of another format, and copy the image from there");
    }
  }

  /** A finished upload would replace the file that a process writes to. */
  private void requireStill(
      ConnectedRepository repository, String imageId, String uploadId, @Nullable Volume top) {
    try {
      foreign.after(repository, imageId, top);
    } catch (StorageException e) {
      repository.commit(UUID.randomUUID().toString(), new CloseImage(imageId, uploadId));
      throw e;
    }
  }

  /**
   * A committed request is answered as committed, whatever happened to the upload and its image
   * since.
   */
  private static UploadInfo begun(
      ConnectedRepository repository,
      Image disk,
      RequestId requestId,
      BeginUploadRequest request,
      Reply reply) {
    LogState state = Repositories.committed(repository, requestId, reply);
    Image now = state.repository().images().get(disk.id());
    long diskSize = now == null ? disk.size() : now.size();
    Long bytes = request.format() == VolumeFormat.RAW ? null : request.size();
    return new UploadInfo(
        reply.id(),
        bytes == null ? diskSize : bytes,
        0,
        0,
        false,
        bytes == null ? null : new UploadInfo.Conversion(diskSize, 0),
        reply.commit());
  }

  /** The disk of an upload that was begun before; the disk may have been removed since. */
  private Image known(ConnectedRepository repository, String imageId, Reply reply) {
    RepositoryState state = repositories.newest(repository).repository();
    Image disk = state.images().get(imageId);
    Open open = state.opens().get(reply.id());
    if (disk == null || (open != null && !open.imageId().equals(imageId))) {
      throw UploadFile.notFound(imageId, reply.id());
    }
    return disk;
  }

  private Image disk(ConnectedRepository repository, String imageId) {
    Image known = repository.state().repository().visibleImage(imageId);
    return known == null
        ? StorageService.require(repositories.newest(repository), imageId, repository.repoId())
        : known;
  }

  /** Null when the caller sends the bytes of the disk itself. */
  private static Open.@Nullable Received received(BeginUploadRequest request, Image disk) {
    Long size = request.size();
    if (request.format() == VolumeFormat.RAW) {
      if (size != null && size != disk.size()) {
        throw StorageException.invalid(
            "size",
            "the disk has " + disk.size() + " bytes, and not " + size,
            "send as many; zeros after the end of a file need no bytes");
      }
      return null;
    }
    if (size == null) {
      throw StorageException.invalid(
          "size", "size is missing", "say how many bytes the qcow2 file has");
    }
    if (size > FILE_PER_DISK_MAX * disk.size() + FILE_BYTES_ALWAYS) {
      throw StorageException.invalid(
          "size",
          "a file of " + size + " bytes is too large for a disk of " + disk.size(),
          "compact it with qemu-img convert -O qcow2, or send the disk's bytes as raw");
    }
    return new Open.Received(request.format(), size);
  }

  /** The known need of space must be met before the first byte arrives. */
  private void requireSpace(ConnectedRepository repository, BeginUploadRequest request) {
    // A qcow2 file is stored as it comes; a raw disk may consist largely of zeros.
    Long most = request.format() == VolumeFormat.QCOW2 ? request.size() : null;
    Long needed = request.dataBytes() == null ? most : request.dataBytes();
    if (needed == null) {
      return;
    }
    long free = io.call(repository, () -> repository.storage().space().free());
    if (needed > free) {
      throw new StorageException(
          ErrorCode.NO_SPACE,
          "the upload needs " + needed + " bytes, and " + free + " are free",
          repository.repoId(),
          "free some space, by removing images for example, and call again");
    }
  }

  /** Answered from the storage, since another agent may have continued the upload. */
  UploadInfo info(ConnectedRepository repository, String imageId, String uploadId) {
    Open open = require(repository, imageId, uploadId);
    LogState state = repository.state();
    Image image = StorageService.require(state, imageId, repository.repoId());
    Checkpoint checkpoint =
        io.call(
            repository, () -> repository.storage().work().newestCheckpoint(UploadFile.fixId(open)));
    long size = UploadFile.size(open, image.size());
    var conversion =
        open.received() == null
            ? null
            : new UploadInfo.Conversion(image.size(), UploadFile.converted(checkpoint));
    Upload here = taken.get(uploadId);
    return new UploadInfo(
        uploadId,
        size,
        Math.min(size, UploadFile.received(checkpoint)),
        here == null || checkpoint == null ? 0 : here.verified(checkpoint.epoch()),
        false,
        conversion,
        state.sequence());
  }

  UploadInfo write(
      ConnectedRepository repository,
      String imageId,
      String uploadId,
      UploadRange range,
      InputStream content) {
    return take(repository, require(repository, imageId, uploadId)).write(range, content);
  }

  UploadInfo finish(
      ConnectedRepository repository,
      String imageId,
      String uploadId,
      FinishUploadRequest request,
      RequestId requestId) {
    return repeats.once(
        requestId,
        repository,
        () -> finish(repository, require(repository, imageId, uploadId), request, requestId),
        reply -> {
          Reply earlier = reply.repeated(requestId, "finishUpload", imageId);
          Image image = repositories.newest(repository).repository().images().get(imageId);
          if (image == null) {
            throw UploadFile.notFound(imageId, uploadId);
          }
          long size = image.size();
          return new UploadInfo(uploadId, size, size, size, true, null, earlier.commit());
        });
  }

  private UploadInfo finish(
      ConnectedRepository repository, Open open, FinishUploadRequest request, RequestId requestId) {
    Upload upload = take(repository, open);
    UploadInfo info = upload.finish(request.sha256(), requestId);
    if (info.finished()) {
      taken.remove(open.id());
    }
    return info;
  }

  /** The upload as the storage has it: this host may not know that another agent ended it. */
  private Open require(ConnectedRepository repository, String imageId, String uploadId) {
    Open open = find(repositories.newest(repository), imageId, uploadId);
    if (open == null) {
      throw UploadFile.notFound(imageId, uploadId);
    }
    return open;
  }

  private static @Nullable Open find(LogState state, String imageId, String uploadId) {
    Open open = state.repository().opens().get(uploadId);
    return open != null && open.fills() != null && open.imageId().equals(imageId) ? open : null;
  }

  /** The upload as this agent receives it, taken over from another agent if that one is gone. */
  private Upload take(ConnectedRepository repository, Open open) {
    Upload here = usable(repository, open);
    if (here != null) {
      return here;
    }
    try (KeyedLock.Turn _ = taking.take(open.id())) {
      here = usable(repository, open);
      return here == null ? takeOver(repository, open) : here;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw UploadFile.elsewhere(open.imageId(), "another host, this one is stopping");
    }
  }

  private @Nullable Upload usable(ConnectedRepository repository, Open open) {
    Upload here = taken.get(open.id());
    return here != null && here.usable() && here.repository() == repository ? here : null;
  }

  private Upload takeOver(ConnectedRepository repository, Open open) {
    dropEnded();
    Upload before = taken.get(open.id());
    if (before != null && !before.close()) {
      if (!before.failed()) {
        throw UploadFile.elsewhere(open.imageId(), "this host, whose last range has yet to end");
      }
      leaving.add(before);
    }
    Image image = StorageService.require(repository.state(), open.imageId(), repository.repoId());
    UploadFile file =
        io.open(
            repository,
            takeDeadline(image.size()),
            () -> {
              requireFree(repository, open);
              // Callers queue for their turn, so another call may have finished the upload
              // meanwhile.
              if (find(repository.replica().refresh(), open.imageId(), open.id()) == null) {
                throw UploadFile.notFound(open.imageId(), open.id());
              }
              FaultPoints.reach("upload.taking");
              return UploadFile.take(repository, open, image.size(), self, context);
            },
            UploadFile::forgetRest);
    Upload upload = new Upload(repository, open, file, io, context, workers);
    taken.put(open.id(), upload);
    return upload;
  }

  private Duration takeDeadline(long size) {
    long limit = context.throttle().bytesPerSecond();
    return limit == Throttle.UNLIMITED
        ? TAKE_DEADLINE
        : TAKE_DEADLINE.plusSeconds(COPIES_BESIDE * size / limit);
  }

  /**
   * Only one live host at a time receives an upload. Otherwise a caller that tries all agents would
   * make them take over from each other.
   */
  private void requireFree(ConnectedRepository repository, Open open) throws IOException {
    WorkStore store = repository.storage().work();
    Claim claim = store.newestClaim(UploadFile.fixId(open));
    if (claim == null
        || claim.worker().equals(self)
        || !hosts.incarnationLive(claim.worker().incarnation())) {
      return;
    }
    Checkpoint checkpoint = store.newestCheckpoint(UploadFile.fixId(open));
    boolean sameEpoch = checkpoint != null && checkpoint.epoch() == claim.epoch();
    if (checkpoint != null && sameEpoch && checkpoint.released()) {
      return;
    }
    Instant lately = checkpoint != null && sameEpoch ? checkpoint.updatedAt() : claim.since();
    if (context.clock().instant().isBefore(lately.plus(HOLDER_IDLE))) {
      throw UploadFile.elsewhere(open.imageId(), "host " + claim.worker().hostId());
    }
  }

  /** Closes the upload's file at once; other agents learn of the end from the log. */
  void ended(String openId) {
    Upload here = taken.get(openId);
    if (here != null && here.close()) {
      taken.remove(openId, here);
    }
  }

  private void round() {
    dropEnded();
    if (taken.isEmpty()) {
      workers.memory().trim();
    }
  }

  /** Drops uploads that failed, that ended at other agents, or whose image is gone. */
  private void dropEnded() {
    leaving.removeIf(Upload::close);
    taken
        .values()
        .removeIf(upload -> {
          boolean open = upload.repository().state().repository().opens().containsKey(upload.id());
          return (!open || !upload.usable()) && upload.close();
        });
  }

  /** Call this before the repository is disconnected; other agents continue the uploads. */
  void letGo(ConnectedRepository repository) {
    taken
        .values()
        .removeIf(upload -> {
          if (upload.repository() == repository) {
            upload.letGo();
            if (!upload.close()) {
              leaving.add(upload);
            }
          }
          return upload.repository() == repository;
        });
  }

  @Override
  public void close() {
    repositories.all().forEach(this::letGo);
    loop.close();
    workers.close();
  }
}
