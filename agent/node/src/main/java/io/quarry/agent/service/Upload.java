package io.quarry.agent.service;

import io.quarry.agent.data.qemu.UntrustedImageException;
import io.quarry.agent.data.qemu.UntrustedQcow2;
import io.quarry.agent.fix.FixContext;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Sha256;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.api.UploadRange;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.plan.CloseImage;
import io.quarry.coordinator.plan.FinishUpload;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RequestId;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Base64;
import java.util.UUID;
import java.util.concurrent.Callable;
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

  /** The size of one write of a range that has no memory of its own. */
  private static final int PIECE_BYTES = 1 << 20;

  private static final int NETWORK_BYTES = 64 << 10;
  private static final int ALIGNMENT = 4096;
  private static final Duration IO_DEADLINE = Duration.ofSeconds(60);

  /** A range may still be on its way to the disk after its caller has gone away. */
  private static final Duration TURN = Duration.ofSeconds(20);

  /** A call for the end answers within this time, and reports how far the upload is. */
  private static final Duration TURN_OF_WORK = Duration.ofSeconds(5);

  private final ConnectedRepository repository;
  private final Open open;
  private final long size;
  private final UploadFile file;
  private final StorageIo io;
  private final FixContext context;
  private final UploadWorkers workers;
  private final Arrivals arrivals = new Arrivals();
  private final ThrottledWaits waits;

  /** All calls that work with the file; the file is closed when no call is under way. */
  private final StorageCalls calls;

  /** Held by the thread that writes to the upload or ends it. */
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

  /** A storage call failed, and may still be under way: no call uses this object again. */
  private volatile boolean failed;

  /** The upload has ended, or continues at another agent: this agent has to close its file. */
  private volatile boolean over;

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
    this.io = io;
    this.context = context;
    this.workers = workers;
    this.waits = new ThrottledWaits(context.throttle(), TURN);
    this.calls = new StorageCalls(file::forgetRest, this::letGoOf);
    this.written = file.offset();
    this.readBack =
        new ReadBack(
            size,
            file::offset,
            (digest, from) -> fromStorage(() -> file.digest(digest, from)),
            this::usable);
  }

  ConnectedRepository repository() {
    return repository;
  }

  String id() {
    return open.id();
  }

  boolean failed() {
    return failed;
  }

  /** Whether the next call can use this object. */
  boolean usable() {
    return !failed && !over;
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
    check(range);
    MemorySegment memory = range.zeros() ? null : workers.memory().take(range.length());
    arrivals.enter(range.offset());
    try {
      if (memory != null) {
        receive(range, content, memory);
      }
      awaitThoseInFront(range);
      inTurn(() -> store(range, content, memory));
    } finally {
      arrivals.leave(range.offset());
      // A write that hangs may come later, and would write what the memory holds then.
      if (memory != null) {
        workers.memory().give(memory, !failed);
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
        throw busy("an earlier range of this upload is on its way");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw busy("this agent is stopping");
    }
  }

  /** Needs {@code turn}. Writes the range to the file, where it is not durable yet. */
  private Void store(UploadRange range, InputStream content, @Nullable MemorySegment memory) {
    onStorage(file::requireOurs);
    if (range.end() <= written) {
      return null;
    }
    if (range.offset() > written) {
      throw gap("bytes from " + written + " on are missing before " + range.offset());
    }
    onStorage(file::ready);
    boolean whole = range.zeros();
    try {
      if (memory != null) {
        put(range.offset(), memory.asSlice(0, range.length()));
      } else if (!range.zeros()) {
        pass(range, content);
      }
      whole = true;
    } finally {
      if (!whole && !failed) {
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
      onStorage(file::forgetRest);
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
      requireUsable();
      long reached = written;
      if (reached < end) {
        throw busy("another range of this upload failed before this one was durable");
      }
      FaultPoints.reach("upload.received");
      onStorage(() -> file.reached(reached));
    } finally {
      durably.unlock();
    }
  }

  /** Judges the file as early as its bytes allow, and closes a file that is whole. */
  private Void lookAt() {
    if (file.offset() == size) {
      onStorage(file::forgetRest);
    }
    if (!lookedAt && file.offset() >= Math.min(size, UntrustedQcow2.HEADER_BYTES)) {
      lookedAt = true;
      refusing(() ->
          fromStorage(() -> {
            try {
              UntrustedQcow2.requireHeader(file.received(), file.diskSize());
              return true;
            } catch (UntrustedImageException e) {
              throw Conversion.refused(open.imageId(), e);
            }
          }));
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

  private void check(UploadRange range) {
    if (range.size() != size || range.length() <= 0 || range.end() > size) {
      throw StorageException.invalid(
          "Content-Range",
          range.header() + " is not a range of " + size + " bytes",
          "give ranges of " + size + " bytes, which is what this upload has");
    }
  }

  private StorageException gap(String message) {
    return new StorageException(
        ErrorCode.RANGE_NOT_SATISFIABLE, message, open.imageId(), "go on from " + file.offset());
  }

  private void receive(UploadRange range, InputStream content, MemorySegment memory) {
    arriving(
        range,
        content,
        digest -> fill(content, memory.asSlice(0, range.length()), digest, range.offset()));
  }

  /** A range that is too large for memory is written as its bytes arrive. */
  private void pass(UploadRange range, InputStream content) {
    MemorySegment memory = Arena.ofAuto().allocate(PIECE_BYTES, ALIGNMENT);
    arriving(
        range,
        content,
        digest -> {
          for (long at = range.offset(); at < range.end(); ) {
            long length = Math.min(PIECE_BYTES - at % PIECE_BYTES, range.end() - at);
            MemorySegment piece = memory.asSlice(0, length);
            fill(content, piece, digest, at);
            put(at, piece);
            at += length;
          }
        });
  }

  /** Receives the bytes of a range as they arrive. */
  @FunctionalInterface
  private interface Taking {
    void take(MessageDigest digest) throws IOException;
  }

  /** The bytes must be as many as the range says, and have its digest. */
  private void arriving(UploadRange range, InputStream content, Taking taking) {
    MessageDigest received = Sha256.fresh();
    try {
      taking.take(received);
      if (content.read() >= 0) {
        throw new IOException("it went on after byte " + range.end());
      }
    } catch (IOException e) {
      throw StorageException.invalid(
          "body",
          range.header() + " did not arrive whole: " + e.getMessage(),
          "send as many bytes as Content-Range says");
    }
    String sum = Base64.getEncoder().encodeToString(received.digest());
    if (range.sha256() != null && !range.sha256().equals(sum)) {
      throw mismatch("the bytes of " + range.header() + " have the SHA-256 " + sum, "repeat it");
    }
  }

  private static void fill(
      InputStream content, MemorySegment memory, MessageDigest digest, long offset)
      throws IOException {
    byte[] bytes = new byte[NETWORK_BYTES];
    for (long at = 0; at < memory.byteSize(); ) {
      int count = content.read(bytes, 0, (int) Math.min(bytes.length, memory.byteSize() - at));
      if (count < 0) {
        throw new EOFException("it ended at byte " + (offset + at));
      }
      digest.update(bytes, 0, count);
      MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, at, count);
      at += count;
    }
  }

  /**
   * Needs {@code turn}. Bytes that are there already stay, since a caller has been or will be told
   * of them.
   */
  private void put(long offset, MemorySegment bytes) {
    long known = Math.clamp(written - offset, 0, bytes.byteSize());
    requireUsable();
    acquire(bytes.byteSize());
    FaultPoints.reach("upload.storing");
    onStorage(() -> {
      FaultPoints.reach("upload.writing");
      SparseWriter.write(file, offset + known, bytes.asSlice(known));
    });
  }

  private void acquire(long bytes) {
    try {
      waits.acquire(bytes);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw busy("this agent is stopping");
    }
  }

  /** Verifies for a while, and makes the content the disk's once all is verified. */
  UploadInfo finish(@Nullable String sha256, RequestId requestId) {
    return exclusively(() -> {
      onStorage(file::requireOurs);
      if (file.offset() < size) {
        throw gap("the upload is at byte " + file.offset() + " of " + size);
      }
      if (sha256 != null && !verify(sha256)) {
        return info();
      }
      if (open.received() != null && !refusing(this::convert)) {
        return info();
      }
      onStorage(file::seal);
      Reply reply =
          repository.commit(requestId, new FinishUpload(open.id(), open.imageId(), file.file()));
      try {
        onStorage(file::tidy);
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
      converting = workers.convert(calls.counted(begun), open.imageId());
      conversion = begun;
    }
    try {
      return converting.get(TURN_OF_WORK.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw busy("this agent is stopping");
    } catch (ExecutionException e) {
      converting = null;
      throw noteFailure(StorageIo.failure(repository.repoId(), e));
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
      throw mismatch(
          "the whole content has the SHA-256 " + found,
          "close the image with the upload's id, and begin anew");
    }
    return true;
  }

  private StorageException mismatch(String message, String remedy) {
    return new StorageException(ErrorCode.DIGEST_MISMATCH, message, open.imageId(), remedy);
  }

  /**
   * Lets another agent continue at once, in the same file. No agent may continue while a storage
   * call is under way, even if its caller gave up: the call could write after the other agent.
   */
  void letGo() {
    boolean ours = usable();
    over = true;
    FaultPoints.reach("upload.lettingGo");
    if (!close(TURN_OF_WORK)) {
      LOG.warn("A write of an upload does not end: nothing is let go of");
    } else if (ours && !failed) {
      noteLetGo();
    }
  }

  private void noteLetGo() {
    try {
      io.call(
          repository,
          () -> {
            file.letGo();
            return true;
          });
    } catch (StorageException e) {
      LOG.warn("Letting go of an upload could not be noted: {}", e.getMessage());
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
    over = true;
    calls.shut();
    try {
      // Closing asks the storage, too.
      return stopConversion() && !repository.pulse().hang().isDone() && calls.close(patience);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private <T> T inTurn(Supplier<T> work) {
    try {
      if (!waits.await(patience -> turn.tryLock(patience.toMillis(), TimeUnit.MILLISECONDS))) {
        throw busy("another range of this upload is on its way");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw busy("this agent is stopping");
    }
    try {
      requireUsable();
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

  private void requireUsable() {
    if (over) {
      var _ =
          io.call(
              repository,
              () -> {
                file.requireKept();
                return true;
              });
    }
    if (!usable()) {
      throw letGoOf();
    }
  }

  private StorageException letGoOf() {
    return busy("this agent has let go of the upload");
  }

  private StorageException busy(String why) {
    return new StorageException(
        ErrorCode.AGENT_UNAVAILABLE, why, open.imageId(), "repeat the call after a pause");
  }

  private void onStorage(StorageIo.Action action) {
    var _ =
        fromStorage(() -> {
          action.run();
          return true;
        });
  }

  /**
   * After a failure the next range begins another epoch, from the durable bytes. A full storage has
   * answered: no call is under way, and the upload can continue in the same file. The same holds
   * when the storage shows that the upload is over for this agent.
   */
  private <T> T fromStorage(Callable<T> action) {
    try {
      return io.call(repository, IO_DEADLINE, calls.counted(action));
    } catch (RuntimeException e) {
      throw noteFailure(e);
    }
  }

  private RuntimeException noteFailure(RuntimeException failure) {
    ErrorCode code = failure instanceof StorageException e ? e.code() : ErrorCode.INTERNAL;
    switch (code) {
      case NO_SPACE -> {}
      case OPEN_NOT_FOUND, AGENT_UNAVAILABLE, UPLOAD_REFUSED -> over = true;
      default -> {
        failed = true;
        calls.shut();
      }
    }
    return failure;
  }
}
