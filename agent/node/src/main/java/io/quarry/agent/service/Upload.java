package io.quarry.agent.service;

import io.quarry.agent.data.qemu.UntrustedQcow2;
import io.quarry.agent.fix.FixContext;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.api.UploadRange;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.plan.CloseImage;
import io.quarry.coordinator.plan.FinishUpload;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RequestId;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An upload as this agent receives it. Several ranges may be on their way at once. The ranges are
 * received into memory side by side, written one after the other by offset, and made durable
 * together. All access to the storage happens on the storage's own threads.
 */
final class Upload {
  private static final Logger LOG = LoggerFactory.getLogger(Upload.class);

  /** A range whose caller went away may still be on its way to the disk. */
  private static final Duration TURN = Duration.ofSeconds(20);

  /** A call for the end answers within this time, and reports how far the upload is. */
  private static final Duration TURN_OF_WORK = Duration.ofSeconds(5);

  private final ConnectedRepository repository;
  private final Open open;
  private final long size;
  private final UploadFile file;
  private final UploadStorage storage;
  private final FixContext context;
  private final UploadWorkers workers;
  private final Arrivals arrivals = new Arrivals();
  private final ThrottledWaits waits;

  /** Who writes, or ends it. */
  private final ReentrantLock turn = new ReentrantLock();

  /**
   * Held by the thread that makes written bytes durable. A thread that needs both locks takes
   * {@code turn} first.
   */
  private final ReentrantLock durably = new ReentrantLock();

  /** All bytes before this offset are in the file. Only the holder of {@code turn} changes it. */
  private volatile long written;

  private final ReadBack readBack;
  private boolean lookedAt;
  private volatile @Nullable Conversion conversion;
  private @Nullable Future<Boolean> converting;

  Upload(
      ConnectedRepository repository,
      Open open,
      UploadFile file,
      StorageIo io,
      FixContext context,
      UploadWorkers workers) {
    this.repository = repository;
    this.open = open;
    this.size = file.size();
    this.file = file;
    this.storage = new UploadStorage(repository, open, file, io);
    this.context = context;
    this.workers = workers;
    this.waits = new ThrottledWaits(context.throttle(), TURN);
    this.written = file.offset();
    this.readBack =
        new ReadBack(
            size,
            file::offset,
            (digest, from) -> storage.call(() -> file.digest(digest, from)),
            this::usable);
  }

  ConnectedRepository repository() {
    return repository;
  }

  String id() {
    return open.id();
  }

  boolean failed() {
    return storage.failed();
  }

  /** Whether the next call can use this object. */
  boolean usable() {
    return storage.usable();
  }

  private UploadInfo info() {
    return info(false, repository.state().sequence());
  }

  /** How many bytes were read back, if the upload is still at that epoch. */
  long verified(long epoch) {
    return file.epoch() == epoch ? readBack.verified() : 0;
  }

  private UploadInfo info(boolean finished, long commit) {
    var conversion =
        open.received() == null
            ? null
            : new UploadInfo.Conversion(file.diskSize(), file.converted());
    long verified = finished ? size : readBack.verified();
    return new UploadInfo(open.id(), size, file.offset(), verified, finished, conversion, commit);
  }

  UploadInfo write(UploadRange range, InputStream content) {
    RangeBody.check(range, size);
    MemorySegment memory = range.zeros() ? null : workers.memory().take(range.length());
    arrivals.enter(range.offset());
    try {
      if (memory != null) {
        new RangeBody(open.imageId(), range, content).into(memory);
      }
      awaitThoseInFront(range);
      inTurn(() -> store(range, content, memory));
    } finally {
      arrivals.leave(range.offset());
      // A write that hangs may come later, and would write what the memory holds then.
      if (memory != null) {
        workers.memory().give(memory, !storage.failed());
      }
    }
    makeDurable(range.end());
    if (open.received() != null && (!lookedAt || file.offset() == size)) {
      exclusively(this::lookAt);
    }
    workers.follow(readBack);
    return info();
  }

  private void awaitThoseInFront(UploadRange range) {
    try {
      if (!waits.await(turn -> arrivals.awaitFirst(range.offset(), () -> written, turn))) {
        throw storage.busy("an earlier range of this upload is on its way");
      }
    } catch (InterruptedException e) {
      throw storage.stopping();
    }
  }

  /** Needs {@code turn}. Writes the range to the file, where it is not durable yet. */
  private Void store(UploadRange range, InputStream content, @Nullable MemorySegment memory) {
    storage.run(file::requireOurs);
    if (range.end() <= written) {
      return null;
    }
    if (range.offset() > written) {
      throw gap("bytes from " + written + " on are missing before " + range.offset());
    }
    storage.run(file::ready);
    boolean whole = range.zeros();
    try {
      if (memory != null) {
        put(range.offset(), memory.asSlice(0, range.length()));
      } else if (!range.zeros()) {
        new RangeBody(open.imageId(), range, content).piecewise(this::put);
      }
      whole = true;
    } finally {
      if (!whole && !storage.failed()) {
        forgetRest();
      }
    }
    written = range.end();
    arrivals.moved();
    return null;
  }

  /** Needs {@code turn}. Drops bytes that are not durable; no caller was told of them. */
  private void forgetRest() {
    durably.lock();
    try {
      storage.run(file::forgetRest);
      written = file.offset();
    } finally {
      durably.unlock();
    }
  }

  /** One flush and one checkpoint serve all bytes that were written until then. */
  private void makeDurable(long end) {
    durably.lock();
    try {
      if (end <= file.offset()) {
        return;
      }
      storage.requireUsable();
      long reached = written;
      if (reached < end) {
        throw storage.busy("another range of this upload failed before this one was durable");
      }
      FaultPoints.reach("upload.received");
      storage.run(() -> file.reached(reached));
    } finally {
      durably.unlock();
    }
  }

  /** Judges the file as early as its bytes allow, and closes a file that is whole. */
  private Void lookAt() {
    if (file.offset() == size) {
      storage.run(file::forgetRest);
    }
    if (!lookedAt && file.offset() >= Math.min(size, UntrustedQcow2.HEADER_BYTES)) {
      lookedAt = true;
      refusing(() -> storage.call(() -> Conversion.requireHeader(open.imageId(), file)));
    }
    return null;
  }

  /** A refusal ends the upload and removes all of its files. */
  private <T> T refusing(Supplier<T> work) {
    try {
      return work.get();
    } catch (StorageException e) {
      if (e.code() == ErrorCode.UPLOAD_REFUSED) {
        LOG.info("Giving up an upload: {}", e.getMessage());
        var _ = close();
        repository.commit(UUID.randomUUID().toString(), new CloseImage(open.imageId(), open.id()));
      }
      throw e;
    }
  }

  private StorageException gap(String message) {
    return new StorageException(
        ErrorCode.RANGE_NOT_SATISFIABLE, message, open.imageId(), "go on from " + file.offset());
  }

  /** In turn. What is there already has been acknowledged or will be, and stays. */
  private void put(long offset, MemorySegment bytes) {
    long known = Math.clamp(written - offset, 0, bytes.byteSize());
    storage.requireUsable();
    acquire(bytes.byteSize());
    FaultPoints.reach("upload.storing");
    storage.run(() -> {
      FaultPoints.reach("upload.writing");
      SparseWriter.write(file, offset + known, bytes.asSlice(known));
    });
  }

  private void acquire(long bytes) {
    try {
      waits.acquire(bytes);
    } catch (InterruptedException e) {
      throw storage.stopping();
    }
  }

  /** Verifies for a while, and makes the content the disk's once all is verified. */
  UploadInfo finish(@Nullable String sha256, RequestId requestId) {
    return exclusively(() -> {
      storage.run(file::requireOurs);
      if (file.offset() < size) {
        throw gap("the upload is at byte " + file.offset() + " of " + size);
      }
      if (sha256 != null && !verify(sha256)) {
        return info();
      }
      if (open.received() != null && !refusing(this::convert)) {
        return info();
      }
      storage.run(file::seal);
      Reply reply =
          repository.commit(requestId, new FinishUpload(open.id(), open.imageId(), file.file()));
      try {
        storage.run(file::tidy);
      } catch (RuntimeException e) {
        // The disk has the new content, whatever this step does.
        LOG.warn("Leftovers of the upload into {} stay: {}", open.imageId(), e.getMessage());
      }
      return info(true, reply.commit());
    });
  }

  /** Whether the conversion is done; it continues by itself when it takes longer than a call. */
  private boolean convert() {
    if (converting == null) {
      Conversion begun = new Conversion(open.imageId(), file, context);
      converting = workers.convert(storage.counted(begun), open.imageId());
      conversion = begun;
    }
    try {
      return converting.get(TURN_OF_WORK.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      return false;
    } catch (InterruptedException e) {
      throw storage.stopping();
    } catch (ExecutionException e) {
      converting = null;
      throw storage.noteFailure(StorageIo.failure(repository.repoId(), e));
    }
  }

  /** Whether no part of a conversion writes any more. */
  private boolean stopConversion() throws InterruptedException {
    Conversion running = conversion;
    return running == null || running.stop(TURN);
  }

  /** Whether all is verified; false when there is more to read. */
  private boolean verify(String sha256) {
    String found = readBack.await(TURN_OF_WORK);
    if (found == null) {
      return false;
    }
    if (!sha256.equals(found)) {
      throw new StorageException(
          ErrorCode.DIGEST_MISMATCH,
          "the whole content has the SHA-256 " + found,
          open.imageId(),
          "close the image with the upload's id, and begin anew");
    }
    return true;
  }

  /**
   * Lets another agent continue at once, in the same file. No agent may continue while a storage
   * call is under way, even if its caller gave up: the call could write after the other agent.
   */
  void letGo() {
    boolean ours = usable();
    storage.end();
    FaultPoints.reach("upload.lettingGo");
    if (!close(TURN_OF_WORK)) {
      LOG.warn("A write of an upload does not end: nothing is let go of");
    } else if (ours && !storage.failed()) {
      storage.noteLetGo();
    }
  }

  /**
   * Called when the upload has failed, was finished or cancelled, or continues elsewhere. Returns
   * whether no file of the upload is open here any more. A file is never closed during a write.
   */
  boolean close() {
    return close(Duration.ZERO);
  }

  private boolean close(Duration patience) {
    storage.shut();
    try {
      return stopConversion() && storage.close(patience);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private <T> T inTurn(Supplier<T> work) {
    try {
      if (!waits.await(patience -> turn.tryLock(patience.toMillis(), TimeUnit.MILLISECONDS))) {
        throw storage.busy("another range of this upload is on its way");
      }
    } catch (InterruptedException e) {
      throw storage.stopping();
    }
    try {
      storage.requireUsable();
      return work.get();
    } finally {
      turn.unlock();
    }
  }

  /** Needs {@code turn}, and waits until no thread makes bytes durable. */
  private <T> T exclusively(Supplier<T> work) {
    return inTurn(() -> {
      durably.lock();
      try {
        return work.get();
      } finally {
        durably.unlock();
      }
    });
  }
}
