package io.quarry.agent.service;

import io.quarry.agent.data.CopyControl;
import io.quarry.agent.data.Extent;
import io.quarry.agent.data.PrefixCopy;
import io.quarry.agent.data.RawFileSource;
import io.quarry.agent.data.RawTarget;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.fix.FixContext;
import io.quarry.agent.fix.PriorEpochs;
import io.quarry.agent.fix.UploadActivity;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.storage.Checkpoint;
import io.quarry.agent.storage.Claim;
import io.quarry.agent.storage.VolumeStore;
import io.quarry.agent.storage.WorkStore;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.VolumeName;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file that one life of one agent writes for an upload. The life holds one epoch, taken on the
 * storage as for heavy fixes. The received bytes are the disk's content itself, or a file that a
 * second stage converts. All methods touch the storage; one thread at a time may call.
 */
final class UploadFile {
  private static final Logger LOG = LoggerFactory.getLogger(UploadFile.class);
  private static final int ZEROS_BYTES = 1 << 20;
  private static final byte[] ZEROS = new byte[ZEROS_BYTES];
  private static final int CONVERSION = 2;

  private final ConnectedRepository repository;
  private final Open upload;
  private final long diskSize;
  private final Worker self;
  private final FixContext context;
  private final WorkStore store;
  private final String fixId;
  private final long epoch;
  private @Nullable RawTarget target;

  /** Only one thread writes this field; any thread may read it. */
  private volatile Checkpoint checkpoint;

  private UploadFile(
      ConnectedRepository repository,
      Open upload,
      long diskSize,
      Worker self,
      FixContext context,
      long epoch) {
    this.repository = repository;
    this.upload = upload;
    this.diskSize = diskSize;
    this.self = self;
    this.context = context;
    this.store = repository.storage().work();
    this.fixId = fixId(upload);
    this.epoch = epoch;
    this.checkpoint =
        Checkpoint.filling(self, epoch, stages(), ownReceived(), size(upload, diskSize), now());
  }

  /**
   * The name under which claims and checkpoints are kept; the clean of the volume knows the name.
   */
  static String fixId(Open upload) {
    return UploadActivity.fixId(upload);
  }

  /** How many bytes the caller sends. */
  static long size(Open upload, long diskSize) {
    return upload.received() == null ? diskSize : upload.received().bytes();
  }

  /** How many of these bytes were received; all of them once the conversion has begun. */
  static long received(@Nullable Checkpoint checkpoint) {
    if (checkpoint == null) {
      return 0;
    }
    return checkpoint.source() == null ? checkpoint.offset() : Long.MAX_VALUE;
  }

  /** How many bytes of the disk are converted from the received file. */
  static long converted(@Nullable Checkpoint checkpoint) {
    return checkpoint == null || checkpoint.source() == null ? 0 : checkpoint.offset();
  }

  /**
   * Takes the next epoch. If the earlier epoch's worker is proven dead or has let go, this epoch
   * continues in the same file. Otherwise this epoch begins a file of its own, and no reader opens
   * the file that late writes reach.
   */
  static UploadFile take(
      ConnectedRepository repository, Open upload, long diskSize, Worker self, FixContext context)
      throws IOException, InterruptedException {
    @Nullable UploadFile file = null;
    try {
      file = next(repository, upload, diskSize, self, context);
      file.requireKept();
      return file;
    } catch (IOException | StorageException e) {
      if (isKept(repository, upload)) {
        throw e;
      }
      if (file != null) {
        file.forgetRest();
      }
      leaveNothing(repository, upload);
      throw notFound(upload.imageId(), upload.id());
    }
  }

  private static UploadFile next(
      ConnectedRepository repository, Open upload, long diskSize, Worker self, FixContext context)
      throws IOException, InterruptedException {
    WorkStore store = repository.storage().work();
    Claim newest = store.newestClaim(fixId(upload));
    long epoch = newest == null ? 1 : newest.epoch() + 1;
    if (store.claim(fixId(upload), epoch, self, context.clock().instant()).isEmpty()) {
      throw elsewhere(upload.imageId(), "another host");
    }
    var file = new UploadFile(repository, upload, diskSize, self, context, epoch);
    Checkpoint earlier = store.newestCheckpoint(fixId(upload));
    if (earlier == null || earlier.file() == null) {
      file.target = file.create(file.ownReceived(), file.size());
    } else {
      file.goOn(earlier, earlier.file());
    }
    store.save(file.fixId, file.checkpoint);
    LOG.info("Taking the upload into {} from byte {}", file.file(), file.offset());
    return file;
  }

  private void goOn(Checkpoint earlier, String earlierFile)
      throws IOException, InterruptedException {
    boolean receiving = earlier.source() == null;
    if (receiving && upload.received() != null && earlier.offset() == size()) {
      // The received file is whole: a late writer would only write the same bytes again.
      checkpoint = earlier.takenOver(self, epoch, earlierFile, now());
      return;
    }
    if (new PriorEpochs(store, fixId, epoch, this::dead).allOver(earlier)) {
      target =
          RawTarget.reopen(
              volumes().openWrite(earlierFile), earlier.offset(), earlier.bytesTotal());
      checkpoint = earlier.takenOver(self, epoch, earlierFile, now());
      return;
    }
    String own = receiving ? ownReceived() : ownContent();
    LOG.info("No proof that {} is dead: its bytes go into {}", earlier.worker().hostId(), own);
    target = create(own, earlier.bytesTotal());
    var _ =
        PrefixCopy.copy(
            volumes().openRead(earlierFile),
            target,
            earlier.offset(),
            context.pace(),
            context.throttle(),
            new CopyControl());
    checkpoint = earlier.takenOver(self, epoch, own, now());
  }

  /** A write of this very life may hang on the storage, and come later. */
  private boolean dead(Worker worker) {
    return !worker.equals(self) && context.proof().dead(worker);
  }

  private RawTarget create(String file, long size) throws IOException {
    RawTarget created = RawTarget.create(volumes().create(file, size), size);
    repository.storage().volumes().force();
    return created;
  }

  private Instant now() {
    return context.clock().instant();
  }

  private int stages() {
    return upload.received() == null ? 1 : CONVERSION;
  }

  private String ownReceived() {
    return upload.received() == null
        ? ownContent()
        : VolumeName.upload(String.valueOf(upload.fills()), epoch).text();
  }

  private String ownContent() {
    return VolumeName.of(String.valueOf(upload.fills()), epoch, VolumeFormat.RAW).text();
  }

  private VolumeStore volumes() {
    return repository.storage().volumes();
  }

  static StorageException elsewhere(String imageId, String host) {
    return new StorageException(
        ErrorCode.AGENT_UNAVAILABLE,
        "the upload into image " + imageId + " goes on at " + host,
        imageId,
        "ask its agent; another one takes over when that one is gone");
  }

  long epoch() {
    return epoch;
  }

  /** The file that this epoch writes now. */
  String file() {
    return String.valueOf(checkpoint.file());
  }

  /** How many bytes the caller sends. */
  long size() {
    return size(upload, diskSize);
  }

  long diskSize() {
    return diskSize;
  }

  /** How many received bytes are durable. */
  long offset() {
    return Math.min(size(), received(checkpoint));
  }

  /** How many bytes of the disk are made from the received file. */
  long converted() {
    return converted(checkpoint);
  }

  /** Bytes that all epochs have read for the upload. */
  long moved() {
    return checkpoint.bytesMoved();
  }

  /** The received file. */
  Chain.Layer received() throws IOException {
    String source = checkpoint.source();
    VolumeFormat format = upload.received() == null ? VolumeFormat.RAW : VolumeFormat.QCOW2;
    return volumes().layer(source == null ? file() : source, format).requireFile();
  }

  /** Makes sure that only holes follow the durable part. */
  void ready() throws IOException {
    if (target == null) {
      target =
          RawTarget.reopen(
              volumes().openWrite(file()), checkpoint.offset(), checkpoint.bytesTotal());
    }
  }

  /** All bytes are received: begins the file for the converted disk, or continues with it. */
  RawTarget conversion() throws IOException {
    if (checkpoint.source() == null) {
      forgetRest();
      String own = ownContent();
      volumes().remove(own);
      target = create(own, diskSize);
      Checkpoint newer = checkpoint.converting(own, diskSize, now());
      save(newer);
    }
    ready();
    return open();
  }

  void write(long offset, MemorySegment bytes) throws IOException {
    open().write(offset, bytes);
  }

  private RawTarget open() throws IOException {
    if (target == null) {
      throw new IOException(file() + " is not open");
    }
    return target;
  }

  /**
   * Makes all bytes before that offset durable and saves a checkpoint. An agent that takes the next
   * epoch after this check sees the checkpoint.
   */
  void reached(long offset) throws IOException {
    open().flush();
    durable(offset, checkpoint.bytesMoved() + offset - checkpoint.offset());
  }

  /** Saves a checkpoint for bytes that are durable already. */
  void durable(long offset, long moved) throws IOException {
    save(checkpoint.at(offset, moved, now()));
  }

  private void save(Checkpoint newer) throws IOException {
    try {
      store.save(fixId, newer);
    } catch (IOException e) {
      // An upload that was cancelled or taken over has lost its place, and its caller must get that
      // refusal.
      requireOurs();
      throw e;
    }
    requireOurs();
    checkpoint = newer;
  }

  /**
   * Throws when the upload has ended, or another agent has taken over. This agent may then know of
   * fewer bytes than callers do.
   */
  void requireOurs() throws IOException {
    requireKept();
    requireNewest();
  }

  /** Ends the upload when a caller has cancelled it, or has removed its image. */
  void requireKept() throws IOException {
    if (!isKept(repository, upload)) {
      throw notFound(upload.imageId(), upload.id());
    }
  }

  private static boolean isKept(ConnectedRepository repository, Open upload) throws IOException {
    return repository.replica().refresh().repository().opens().containsKey(upload.id());
  }

  static StorageException notFound(String imageId, String uploadId) {
    return new StorageException(
        ErrorCode.OPEN_NOT_FOUND,
        "image " + imageId + " has no upload " + uploadId,
        uploadId,
        "it was finished or given up, its image was removed, or it belongs to another image;"
            + " begin a new upload");
  }

  private void requireNewest() throws IOException {
    Claim newest = store.newestClaim(fixId);
    if (newest == null || newest.epoch() != epoch) {
      throw elsewhere(upload.imageId(), newest == null ? "no host" : newest.worker().hostId());
    }
  }

  /** Drops the bytes behind the durable part; no write is under way. */
  void forgetRest() {
    if (target != null) {
      target.close();
      target = null;
    }
  }

  /** Adds the durable received bytes to the digest; returns the offset reached. */
  long digest(MessageDigest digest, long from) throws IOException {
    try (RawFileSource source = RawFileSource.of(received().open())) {
      long end = Math.min(offset(), from + ReadBack.SPAN_BYTES);
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

  /** No call of this life writes any more: the next epoch may continue in the same file. */
  void letGo() throws IOException {
    forgetRest();
    store.save(fixId, checkpoint.letGo(null, now()));
  }

  /** Called before the file is published. */
  void seal() throws IOException {
    requireNewest();
    forgetRest();
    volumes().thaw(file());
  }

  /**
   * The upload ended before this agent took it, so the files of this epoch are removed. If the
   * upload was finished, one of the files is the disk's and stays.
   */
  private static void leaveNothing(ConnectedRepository repository, Open upload) throws IOException {
    Volume filled =
        repository.replica().refresh().repository().volumes().get(String.valueOf(upload.fills()));
    String kept = filled == null ? "" : String.valueOf(filled.file());
    WorkStore store = repository.storage().work();
    Claim newest = store.newestClaim(fixId(upload));
    String volumeId = String.valueOf(upload.fills());
    for (long each = 1; newest != null && each <= newest.epoch(); each++) {
      String raw = VolumeName.of(volumeId, each, VolumeFormat.RAW).text();
      if (!raw.equals(kept)) {
        repository.storage().volumes().remove(raw);
      }
      repository.storage().volumes().remove(VolumeName.upload(volumeId, each).text());
    }
    store.forget(fixId(upload));
  }

  /**
   * The file is the disk's by now, so the files of earlier epochs and the received file are
   * removed.
   */
  void tidy() throws IOException {
    String volumeId = String.valueOf(upload.fills());
    for (long each = 1; each <= epoch; each++) {
      String other = VolumeName.of(volumeId, each, VolumeFormat.RAW).text();
      if (!other.equals(file())) {
        volumes().remove(other);
      }
      if (upload.received() != null) {
        volumes().remove(VolumeName.upload(volumeId, each).text());
      }
    }
    store.forget(fixId);
  }
}
