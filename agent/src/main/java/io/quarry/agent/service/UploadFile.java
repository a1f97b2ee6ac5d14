package io.quarry.agent.service;

import io.quarry.agent.data.CopyControl;
import io.quarry.agent.data.Extent;
import io.quarry.agent.data.PrefixCopy;
import io.quarry.agent.data.RawFileSource;
import io.quarry.agent.data.RawTarget;
import io.quarry.agent.fix.Checkpoint;
import io.quarry.agent.fix.FixStore;
import io.quarry.agent.fix.Surroundings;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.FixType;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Open;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file that one life of one agent writes for an upload: one epoch, taken on the storage as
 * heavy fixes take theirs. All methods touch the storage; one thread at a time.
 */
final class UploadFile {
  private static final Logger LOG = LoggerFactory.getLogger(UploadFile.class);
  private static final int ZEROS_BYTES = 1 << 20;
  private static final byte[] ZEROS = new byte[ZEROS_BYTES];
  private static final long SPAN_BYTES = 64 << 20;

  private final ConnectedRepository repository;
  private final Surroundings around;
  private final FixStore store;
  private final String fixId;
  private final long size;
  private final ClaimedEpoch claimed;
  private @Nullable RawTarget target;
  private Checkpoint checkpoint;

  /**
   * @param file that it writes, its own or one that a dead worker left
   */
  private record ClaimedEpoch(long epoch, String file) {}

  private UploadFile(
      ConnectedRepository repository,
      Surroundings around,
      String fixId,
      ClaimedEpoch claimed,
      @Nullable RawTarget target,
      Checkpoint checkpoint,
      long size) {
    this.repository = repository;
    this.around = around;
    this.store = new FixStore(repository.storage());
    this.fixId = fixId;
    this.claimed = claimed;
    this.target = target;
    this.checkpoint = checkpoint;
    this.size = size;
  }

  /** Under which name its claims and checkpoints are kept; the clean of the volume knows it. */
  static String fixId(Open upload) {
    return FixType.OPTIMIZE.label() + "-" + upload.fills();
  }

  /**
   * Takes the next epoch. What an earlier one has made durable is gone on with in place if its
   * worker is proven dead or let go; otherwise in a file of its own, so that late writes land where
   * nobody looks.
   */
  static UploadFile take(
      ConnectedRepository repository, Open upload, long size, Worker self, Surroundings around)
      throws IOException, InterruptedException {
    FixStore store = new FixStore(repository.storage());
    String fixId = fixId(upload);
    FixStore.ClaimFile newest = store.newestClaim(fixId);
    long epoch = newest == null ? 1 : newest.epoch() + 1;
    if (store.claim(fixId, epoch, self, around.clock().instant()).isEmpty()) {
      throw elsewhere(upload.imageId(), "another host");
    }
    Checkpoint earlier = store.newestCheckpoint(fixId);
    String earlierFile = earlier == null ? null : earlier.file();
    String own = upload.fills() + "." + epoch + ".raw";
    String file = own;
    RawTarget target;
    if (earlier == null || earlierFile == null) {
      target = create(repository, own, size);
    } else if (allOver(store, fixId, earlier, epoch, self, around)) {
      file = earlierFile;
      target = RawTarget.reopen(volume(repository, earlierFile), earlier.offset(), size);
    } else {
      target = create(repository, own, size);
      LOG.info("No proof that {} is dead: its bytes go into {}", earlier.hostId(), own);
      var _ =
          PrefixCopy.copy(
              volume(repository, earlierFile),
              target,
              earlier.offset(),
              around.throttle(),
              new CopyControl());
    }
    long offset = earlier == null ? 0 : earlier.offset();
    Checkpoint checkpoint =
        new Checkpoint(
            self.hostId(),
            self.incarnation(),
            epoch,
            1,
            1,
            "upload",
            file,
            offset,
            size,
            offset,
            false,
            null,
            around.clock().instant());
    store.save(fixId, checkpoint);
    LOG.info("Taking the upload into {} from byte {}", file, offset);
    return new UploadFile(
        repository, around, fixId, new ClaimedEpoch(epoch, file), target, checkpoint, size);
  }

  private static RawTarget create(ConnectedRepository repository, String file, long size)
      throws IOException {
    RawTarget target = RawTarget.create(volume(repository, file), size);
    repository.storage().forceVolumes();
    return target;
  }

  private static Path volume(ConnectedRepository repository, String file) {
    return repository.storage().volume(file);
  }

  private static boolean allOver(
      FixStore store,
      String fixId,
      Checkpoint earlier,
      long epoch,
      Worker self,
      Surroundings around)
      throws IOException {
    Worker writer = new Worker(earlier.hostId(), earlier.incarnation());
    if (!earlier.released() && !dead(writer, self, around)) {
      return false;
    }
    for (long between = earlier.epoch() + 1; between < epoch; between++) {
      FixStore.ClaimFile claim = store.claimOf(fixId, between);
      if (claim == null || !dead(claim.worker(), self, around)) {
        return false;
      }
    }
    return true;
  }

  /** A write of this very life may hang on the storage, and come later. */
  private static boolean dead(Worker worker, Worker self, Surroundings around) {
    return !worker.equals(self) && around.proof().dead(worker);
  }

  static StorageException elsewhere(String imageId, String host) {
    return new StorageException(
        ErrorCode.AGENT_UNAVAILABLE,
        "the upload into image " + imageId + " goes on at " + host,
        imageId,
        "ask its agent; another one takes over when that one is gone");
  }

  String file() {
    return claimed.file();
  }

  long offset() {
    return checkpoint.offset();
  }

  /** Makes sure that everything behind the durable part is a hole. */
  void ready() throws IOException {
    if (target == null) {
      target = RawTarget.reopen(path(), checkpoint.offset(), size);
    }
  }

  private Path path() {
    return volume(repository, claimed.file());
  }

  void write(long offset, MemorySegment bytes) throws IOException {
    open().write(offset, bytes);
  }

  private RawTarget open() throws IOException {
    if (target == null) {
      throw new IOException(claimed.file() + " is not open");
    }
    return target;
  }

  /**
   * Makes all bytes before that offset durable and says so on the storage. Whoever takes the next
   * epoch after this has looked sees it.
   */
  void reached(long offset) throws IOException {
    open().flush();
    Checkpoint newer =
        new Checkpoint(
            checkpoint.hostId(),
            checkpoint.incarnation(),
            claimed.epoch(),
            1,
            1,
            "upload",
            claimed.file(),
            offset,
            size,
            checkpoint.bytesMoved() + offset - checkpoint.offset(),
            false,
            null,
            around.clock().instant());
    store.save(fixId, newer);
    requireNewest();
    checkpoint = newer;
  }

  private void requireNewest() throws IOException {
    FixStore.ClaimFile newest = store.newestClaim(fixId);
    if (newest == null || newest.epoch() != claimed.epoch()) {
      throw elsewhere(claimed.file(), newest == null ? "nobody" : newest.worker().hostId());
    }
  }

  /** What was written behind the durable part does not count; no write is under way. */
  void forgetRest() {
    if (target != null) {
      target.close();
      target = null;
    }
  }

  /** Adds to the digest what is stored; returns up to where. */
  long digest(MessageDigest digest, long from) throws IOException {
    try (RawFileSource source = RawFileSource.open(path())) {
      long end = Math.min(size, from + SPAN_BYTES);
      MemorySegment buffer = Arena.ofAuto().allocate(ZEROS_BYTES, 4096);
      for (Extent extent : source.extents(from, end - from)) {
        for (long at = extent.offset(); at < extent.end(); at += ZEROS_BYTES) {
          int length = (int) Math.min(ZEROS_BYTES, extent.end() - at);
          if (extent.kind() == Extent.Kind.ZERO) {
            digest.update(ZEROS, 0, length);
          } else {
            MemorySegment part = buffer.asSlice(0, length);
            source.read(at, part);
            digest.update(part.asByteBuffer());
          }
        }
      }
      return end;
    }
  }

  /** Nothing of this life writes any more: the next epoch may go on in place. */
  void letGo() throws IOException {
    forgetRest();
    store.save(
        fixId,
        new Checkpoint(
            checkpoint.hostId(),
            checkpoint.incarnation(),
            claimed.epoch(),
            1,
            1,
            "upload",
            claimed.file(),
            checkpoint.offset(),
            size,
            checkpoint.bytesMoved(),
            true,
            null,
            around.clock().instant()));
  }

  /** Before the file is published. */
  void seal() throws IOException {
    requireNewest();
    forgetRest();
  }

  /** The file is the disk's; what earlier epochs left is not needed. */
  void tidy(Open upload) throws IOException {
    for (long epoch = 1; epoch <= claimed.epoch(); epoch++) {
      String other = upload.fills() + "." + epoch + ".raw";
      if (!other.equals(claimed.file())) {
        Files.deleteIfExists(volume(repository, other));
      }
    }
    store.forget(fixId);
  }
}
