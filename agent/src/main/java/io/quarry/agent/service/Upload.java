package io.quarry.agent.service;

import io.quarry.agent.data.qemu.UntrustedImageException;
import io.quarry.agent.data.qemu.UntrustedQcow2;
import io.quarry.agent.fix.Surroundings;
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
import java.util.HexFormat;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An upload as this agent takes it. One range at a time; storage is touched on its own threads. */
final class Upload {
  private static final Logger LOG = LoggerFactory.getLogger(Upload.class);

  /** What one write gives to the storage. */
  private static final int PIECE_BYTES = 1 << 20;

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
  private final Surroundings around;
  private final ExecutorService conversions;
  private final ReentrantLock turn = new ReentrantLock();
  private MessageDigest digest = Sha256.fresh();

  /** Written in turn, read by those that ask how far it is. */
  private volatile long verified;

  private @Nullable String found;
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
      Surroundings around,
      ExecutorService conversions) {
    this.repository = repository;
    this.open = open;
    this.size = file.size();
    this.file = file;
    this.io = io;
    this.around = around;
    this.conversions = conversions;
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
    return file.epoch() == epoch ? verified : 0;
  }

  private UploadInfo info(boolean finished, long commit) {
    var conversion =
        open.received() == null
            ? null
            : new UploadInfo.Conversion(file.diskSize(), file.converted());
    return new UploadInfo(open.id(), size, file.offset(), verified, finished, conversion, commit);
  }

  UploadInfo write(UploadRange range, InputStream content) {
    check(range);
    return inTurn(() -> {
      onStorage(file::requireOurs);
      if (range.end() <= file.offset()) {
        return info();
      }
      if (range.offset() > file.offset()) {
        throw gap("bytes from " + file.offset() + " on are missing before " + range.offset());
      }
      verified = 0;
      found = null;
      digest.reset();
      onStorage(file::ready);
      if (!range.zeros()) {
        fill(range, content);
      }
      FaultPoints.reach("upload.received");
      boolean first = file.offset() < UntrustedQcow2.HEADER_BYTES;
      onStorage(() -> file.reached(range.end()));
      if (open.received() != null) {
        lookAt(first);
      }
      return info();
    });
  }

  /** What can be seen at once needs no more bytes, and what is whole nobody has to keep open. */
  private void lookAt(boolean first) {
    if (file.offset() == size) {
      onStorage(file::forgetRest);
    }
    if (!first || file.offset() < Math.min(size, UntrustedQcow2.HEADER_BYTES)) {
      return;
    }
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

  /** A refusal is the end of the upload: nothing of it stays. */
  private <T> T refusing(Supplier<T> work) {
    try {
      return work.get();
    } catch (StorageException e) {
      if (e.code() == ErrorCode.UPLOAD_REFUSED) {
        LOG.info("Giving up an upload: {}", e.getMessage());
        file.forgetRest();
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

  private void fill(UploadRange range, InputStream content) {
    boolean whole = false;
    try {
      MessageDigest received = Sha256.fresh();
      receive(range, content, received);
      String sum = Base64.getEncoder().encodeToString(received.digest());
      if (range.sha256() != null && !range.sha256().equals(sum)) {
        throw mismatch("the bytes of " + range.header() + " have the SHA-256 " + sum, "repeat it");
      }
      whole = true;
    } catch (IOException e) {
      throw StorageException.invalid(
          "body",
          range.header() + " did not arrive whole: " + e.getMessage(),
          "send as many bytes as Content-Range says");
    } finally {
      if (!whole && !failed) {
        onStorage(file::forgetRest);
      }
    }
  }

  private void receive(UploadRange range, InputStream content, MessageDigest received)
      throws IOException {
    MemorySegment piece = Arena.ofAuto().allocate(PIECE_BYTES, ALIGNMENT);
    long at = range.offset();
    while (at < range.end()) {
      int length = (int) Math.min(PIECE_BYTES - at % PIECE_BYTES, range.end() - at);
      byte[] bytes = content.readNBytes(length);
      if (bytes.length < length) {
        throw new EOFException("it ended at byte " + (at + bytes.length));
      }
      received.update(bytes);
      // What is there already has been acknowledged, and stays.
      int known = Math.clamp(file.offset() - at, 0, length);
      MemorySegment.copy(bytes, 0, piece, ValueLayout.JAVA_BYTE, 0, length);
      requireUsable();
      acquire(length);
      MemorySegment unknown = piece.asSlice(known, length - known);
      long offset = at + known;
      onStorage(() -> SparseWriter.write(file, offset, unknown));
      at += length;
    }
    if (content.read() >= 0) {
      throw new IOException("it went on after byte " + at);
    }
  }

  private void acquire(int bytes) {
    try {
      var _ = around.throttle().acquire(bytes, () -> false);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw busy("this agent is stopping");
    }
  }

  /** Verifies for a while, and makes the content the disk's once that is done. */
  UploadInfo finish(@Nullable String sha256, RequestId requestId) {
    return inTurn(() -> {
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
      verified = size;
      return info(true, reply.commit());
    });
  }

  /** Whether that is done; it goes on by itself when it takes longer than a call. */
  private boolean convert() {
    if (converting == null) {
      conversion = new Conversion(open.imageId(), file, around);
      converting = conversions.submit(conversion);
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
  private boolean stopConversion() {
    Conversion running = conversion;
    try {
      return running == null || running.stop(TURN);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Whether that is done; false when there is more to read. */
  private boolean verify(String sha256) {
    long until = System.nanoTime() + TURN_OF_WORK.toNanos();
    while (found == null) {
      if (System.nanoTime() - until > 0) {
        return false;
      }
      verified = fromStorage(() -> file.digest(digest, verified));
      if (verified == size) {
        found = HexFormat.of().formatHex(digest.digest());
      }
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

  /** Lets others go on at once. */
  void letGo() {
    if (over) {
      var _ = close();
    }
    if (!usable()) {
      return;
    }
    failed = true;
    try {
      if (!turn.tryLock(TURN_OF_WORK.toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.warn("A range of an upload does not end: nothing is let go of");
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    try {
      if (!stopConversion()) {
        LOG.warn("The conversion of an upload does not end: nothing is let go of");
        return;
      }
      io.call(
          repository,
          () -> {
            file.letGo();
            return true;
          });
    } catch (StorageException e) {
      LOG.warn("Letting go of an upload could not be noted: {}", e.getMessage());
    } finally {
      turn.unlock();
    }
  }

  /**
   * It was finished or given up, or goes on elsewhere. Whether nothing of it is open here any more:
   * a file is never closed while a range is written to it.
   */
  boolean close() {
    over = true;
    if (failed) {
      return true;
    }
    if (!turn.tryLock()) {
      return false;
    }
    try {
      if (!stopConversion()) {
        return false;
      }
      file.forgetRest();
      return true;
    } finally {
      turn.unlock();
    }
  }

  private <T> T inTurn(Supplier<T> work) {
    try {
      if (!turn.tryLock(TURN.toMillis(), TimeUnit.MILLISECONDS)) {
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

  private void requireUsable() {
    if (over) {
      onStorage(file::requireKept);
    }
    if (!usable()) {
      throw busy("this agent has let go of the upload");
    }
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
      return io.call(repository, IO_DEADLINE, action);
    } catch (RuntimeException e) {
      throw noteFailure(e);
    }
  }

  private RuntimeException noteFailure(RuntimeException failure) {
    ErrorCode code = failure instanceof StorageException e ? e.code() : ErrorCode.INTERNAL;
    switch (code) {
      case NO_SPACE -> {}
      case OPEN_NOT_FOUND, AGENT_UNAVAILABLE, UPLOAD_REFUSED -> over = true;
      default -> failed = true;
    }
    return failure;
  }
}
