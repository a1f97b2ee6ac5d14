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
 * An upload as this agent takes it. Several ranges may be on their way at once: they are received
 * into memory side by side, written one after the other in the order of their offsets, and made
 * durable together. Storage is touched on its own threads.
 */
final class Upload {
  private static final Logger LOG = LoggerFactory.getLogger(Upload.class);

  /** What one write of a range without memory of its own gives to the storage. */
  private static final int PIECE_BYTES = 1 << 20;

  private static final int NETWORK_BYTES = 64 << 10;
  private static final int ALIGNMENT = 4096;
  private static final Duration IO_DEADLINE = Duration.ofSeconds(60);

  /** A range whose caller went away may still be on its way to the disk. */
  private static final Duration TURN = Duration.ofSeconds(20);

  /** A call for the end answers within this time, with how far it is. */
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

  /** All that works with the file; it is closed when nothing of that is under way. */
  private final StorageCalls calls;

  /** Who writes, or ends it. */
  private final ReentrantLock turn = new ReentrantLock();

  /** Who makes durable what is written; whoever needs both takes the turn first. */
  private final ReentrantLock durably = new ReentrantLock();

  /** All bytes before it are in the file. Changed in turn. */
  private volatile long written;

  private final ReadBack readBack;
  private boolean lookedAt;
  private volatile @Nullable Conversion conversion;
  private @Nullable Future<Boolean> converting;

  /** A storage call failed, and may still be under way: nothing of this is used again. */
  private volatile boolean failed;

  /** It has ended, or goes on at another agent: what is open of it here is to be closed. */
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

  /** Whether the next call can go on with it. */
  boolean usable() {
    return !failed && !over;
  }

  private UploadInfo info() {
    return info(false, repository.state().sequence());
  }

  /** How many bytes were read back, if it is still at that epoch. */
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
      // A write that hangs may come later, with what is in the memory then.
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

  /** In turn: puts the range into the file, where it is not durable yet. */
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

  /** In turn: what is not durable is gone, and counts for nobody. */
  private void forgetRest() {
    durably.lock();
    try {
      onStorage(file::forgetRest);
      written = file.offset();
    } finally {
      durably.unlock();
    }
  }

  /** One flush and one checkpoint are for all that was written until then. */
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

  /** What can be seen at once needs no more bytes, and what is whole nobody has to keep open. */
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

  /** A refusal is the end of the upload: nothing of it stays. */
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

  /** What takes too much memory is written as it comes. */
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

  /** Takes the bytes of a range as they come. */
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

  /** In turn. What is there already has been acknowledged or will be, and stays. */
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

  /** Verifies for a while, and makes the content the disk's once that is done. */
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
        // The disk has the new content, whatever comes of this.
        LOG.warn("Leftovers of the upload into {} stay: {}", open.imageId(), e.getMessage());
      }
      return info(true, reply.commit());
    });
  }

  /** Whether that is done; it goes on by itself when it takes longer than a call. */
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

  /** Whether nothing of a conversion writes any more. */
  private boolean stopConversion() throws InterruptedException {
    Conversion running = conversion;
    return running == null || running.stop(TURN);
  }

  /** Whether that is done; false when there is more to read. */
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
   * Lets others go on at once, in the same file. They may not while a call of the storage is under
   * way, though its caller has given up: what the call writes could come after what they write.
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
   * It has failed, was finished or given up, or goes on elsewhere. Whether nothing of it is open
   * here any more: a file is never closed while something is written to it.
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

  /** In turn, and while nothing is being made durable. */
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
   * After a failure the next range begins another epoch, from what is durable. A storage that is
   * full has answered: nothing is under way, and the same file can be gone on with. So has one that
   * says that the upload is over for this agent.
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
