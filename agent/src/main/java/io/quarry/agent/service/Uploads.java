package io.quarry.agent.service;

import io.quarry.agent.fix.Checkpoint;
import io.quarry.agent.fix.FixStore;
import io.quarry.agent.fix.Surroundings;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.FinishUploadRequest;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.api.UploadRange;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.cluster.HostRegistry;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.BeginUpload;
import io.quarry.coordinator.plan.CloseImage;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RequestId;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** Takes uploads into disks. What any agent needs to go on with one is on the storage. */
final class Uploads implements AutoCloseable {
  /** To copy what another agent made durable, where its file cannot be gone on with. */
  private static final Duration TAKE_DEADLINE = Duration.ofMinutes(10);

  /** Others wait until one of them is done. */
  private static final int CONVERSIONS_MAX = 2;

  /** A qcow2 file has tables beside its data, and holes that nobody looked for. */
  private static final long FILE_PER_DISK_MAX = 2;

  private static final long FILE_BYTES_ALWAYS = 64 << 20;

  private static final Duration TURN = Duration.ofSeconds(20);

  /** A live host that has taken no range for so long is not the one that the caller reaches. */
  private static final Duration HOLDER_IDLE = Duration.ofMinutes(2);

  private final Worker self;
  private final Repositories repositories;
  private final Repeats repeats;
  private final StorageIo io;
  private final Surroundings around;
  private final HostRegistry hosts;
  private final ForeignWriters foreign;
  private final BiConsumer<ConnectedRepository, String> awaitLightMend;
  private final ExecutorService conversions =
      Executors.newFixedThreadPool(
          CONVERSIONS_MAX, Thread.ofPlatform().name("conversion-", 0).daemon(true).factory());
  private final Map<String, Upload> taken = new ConcurrentHashMap<>();
  private final ReentrantLock taking = new ReentrantLock();

  Uploads(
      Worker self,
      Repositories repositories,
      StorageIo io,
      Surroundings around,
      HostRegistry hosts,
      ForeignWriters foreign,
      BiConsumer<ConnectedRepository, String> awaitLightMend) {
    this.self = self;
    this.repositories = repositories;
    this.repeats = new Repeats(repositories);
    this.io = io;
    this.around = around;
    this.hosts = hosts;
    this.foreign = foreign;
    this.awaitLightMend = awaitLightMend;
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
          awaitLightMend.accept(repository, imageId);
          Open.Received received = received(request, disk(repository, imageId));
          requireSpace(repository, request);
          Volume top = foreign.before(repository, imageId);
          String uploadId = UUID.randomUUID().toString();
          Reply reply =
              repository.commit(
                  requestId,
                  new BeginUpload(
                      uploadId, imageId, UUID.randomUUID().toString(), self.hostId(), received));
          if (reply.id().equals(uploadId)) {
            requireStill(repository, imageId, uploadId, top);
          }
          return begun(repository, imageId, reply);
        },
        reply -> begun(repository, imageId, reply.repeated(requestId, "beginUpload")));
  }

  /** The finished upload would take the file away from who writes to it. */
  private void requireStill(
      ConnectedRepository repository, String imageId, String uploadId, @Nullable Volume top) {
    try {
      foreign.after(repository, imageId, top);
    } catch (StorageException e) {
      repository.commit(UUID.randomUUID().toString(), new CloseImage(imageId, uploadId));
      throw e;
    }
  }

  private UploadInfo begun(ConnectedRepository repository, String imageId, Reply reply) {
    LogState state = repository.atLeast(reply.commit());
    Open open = find(state, imageId, reply.id());
    if (open == null) {
      throw notFound(imageId, reply.id());
    }
    Image image = StorageService.require(state, imageId, repository.repoId());
    long size = UploadFile.size(open, image.size());
    var conversion = open.received() == null ? null : new UploadInfo.Conversion(image.size(), 0);
    return new UploadInfo(reply.id(), size, 0, 0, false, conversion, reply.commit());
  }

  private Image disk(ConnectedRepository repository, String imageId) {
    Image known = repository.state().repository().strongImage(imageId);
    return known == null
        ? StorageService.require(repositories.newest(repository), imageId, repository.repoId())
        : known;
  }

  /** Null for the bytes of the disk. */
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

  /** What is known to be needed must be there before the first byte comes. */
  private void requireSpace(ConnectedRepository repository, BeginUploadRequest request) {
    Long needed = request.dataBytes() == null ? request.size() : request.dataBytes();
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

  UploadInfo info(ConnectedRepository repository, String imageId, String uploadId) {
    Open open = require(repository, imageId, uploadId);
    Upload here = taken.get(uploadId);
    if (here != null && !here.failed()) {
      return here.info();
    }
    LogState state = repository.state();
    Image image = StorageService.require(state, imageId, repository.repoId());
    Checkpoint checkpoint =
        io.call(
            repository,
            () -> new FixStore(repository.storage()).newestCheckpoint(UploadFile.fixId(open)));
    long size = UploadFile.size(open, image.size());
    var conversion =
        open.received() == null
            ? null
            : new UploadInfo.Conversion(image.size(), UploadFile.converted(checkpoint));
    return new UploadInfo(
        uploadId,
        size,
        Math.min(size, UploadFile.received(checkpoint)),
        0,
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
    LogState state = repositories.newest(repository);
    Reply earlier = state.repository().requests().find(requestId.value());
    Image image = state.repository().images().get(imageId);
    if (earlier != null && earlier.operation().equals("finishUpload") && image != null) {
      long size = image.size();
      var _ = repositories.durable(repository);
      return new UploadInfo(uploadId, size, size, size, true, null, earlier.commit());
    }
    Upload upload = take(repository, require(repository, imageId, uploadId));
    UploadInfo info = upload.finish(request.sha256(), requestId);
    if (info.finished()) {
      taken.remove(uploadId);
    }
    return info;
  }

  private Open require(ConnectedRepository repository, String imageId, String uploadId) {
    Open open = find(repository.state(), imageId, uploadId);
    if (open == null) {
      open = find(repositories.newest(repository), imageId, uploadId);
    }
    if (open == null) {
      throw notFound(imageId, uploadId);
    }
    return open;
  }

  private static StorageException notFound(String imageId, String uploadId) {
    return new StorageException(
        ErrorCode.OPEN_NOT_FOUND,
        "image " + imageId + " has no upload " + uploadId,
        uploadId,
        "it was finished or given up, or belongs to another image; begin one");
  }

  private static @Nullable Open find(LogState state, String imageId, String uploadId) {
    Open open = state.repository().opens().get(uploadId);
    return open != null && open.fills() != null && open.imageId().equals(imageId) ? open : null;
  }

  /** The upload as this agent takes it, taken over from another one if that one is gone. */
  private Upload take(ConnectedRepository repository, Open open) {
    Upload here = usable(repository, open);
    if (here != null) {
      return here;
    }
    try {
      if (!taking.tryLock(TURN.toMillis(), TimeUnit.MILLISECONDS)) {
        throw UploadFile.elsewhere(open.imageId(), "another thread");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw UploadFile.elsewhere(open.imageId(), "another host, this one is stopping");
    }
    try {
      here = usable(repository, open);
      return here == null ? takeOver(repository, open) : here;
    } finally {
      taking.unlock();
    }
  }

  private @Nullable Upload usable(ConnectedRepository repository, Open open) {
    Upload here = taken.get(open.id());
    return here != null && !here.failed() && here.repository() == repository ? here : null;
  }

  private Upload takeOver(ConnectedRepository repository, Open open) {
    dropEnded();
    Image image = StorageService.require(repository.state(), open.imageId(), repository.repoId());
    UploadFile file =
        io.call(
            repository,
            TAKE_DEADLINE,
            () -> {
              requireFree(repository, open);
              return UploadFile.take(repository, open, image.size(), self, around);
            });
    Upload upload = new Upload(repository, open, file, io, around, conversions);
    taken.put(open.id(), upload);
    return upload;
  }

  /** One live host at a time, or callers that try all agents would make them take turns. */
  private void requireFree(ConnectedRepository repository, Open open) throws IOException {
    FixStore store = new FixStore(repository.storage());
    FixStore.ClaimFile claim = store.newestClaim(UploadFile.fixId(open));
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
    if (around.clock().instant().isBefore(lately.plus(HOLDER_IDLE))) {
      throw UploadFile.elsewhere(open.imageId(), "host " + claim.worker().hostId());
    }
  }

  /** Those that were finished or given up at other agents. */
  private void dropEnded() {
    taken
        .values()
        .removeIf(upload -> {
          boolean ended =
              !upload.repository().state().repository().opens().containsKey(upload.id());
          if (ended) {
            upload.close();
          }
          return ended || upload.failed();
        });
  }

  /** Before the repository is disconnected: others go on. */
  void letGo(ConnectedRepository repository) {
    taken
        .values()
        .removeIf(upload -> {
          if (upload.repository() == repository) {
            upload.letGo();
          }
          return upload.repository() == repository;
        });
  }

  @Override
  public void close() {
    repositories.all().forEach(this::letGo);
    conversions.shutdownNow();
  }
}
