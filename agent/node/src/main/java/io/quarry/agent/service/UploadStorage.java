package io.quarry.agent.service;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.plan.Open;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The storage as one upload uses it. The class knows whether this agent can continue the upload's
 * file, and which calls are under way.
 */
final class UploadStorage {
  private static final Logger LOG = LoggerFactory.getLogger(UploadStorage.class);

  private static final Duration IO_DEADLINE = Duration.ofSeconds(60);

  private final ConnectedRepository repository;
  private final Open open;
  private final UploadFile file;
  private final StorageIo io;

  /** All that works with the file; it is closed when nothing of that is under way. */
  private final StorageCalls calls;

  /** A storage call failed, and may still be under way: nothing of this is used again. */
  private volatile boolean failed;

  /** It has ended, or goes on at another agent: what is open of it here is to be closed. */
  private volatile boolean over;

  UploadStorage(ConnectedRepository repository, Open open, UploadFile file, StorageIo io) {
    this.repository = repository;
    this.open = open;
    this.file = file;
    this.io = io;
    this.calls = new StorageCalls(file::forgetRest, this::letGoOf);
  }

  boolean failed() {
    return failed;
  }

  /** Whether the next call can go on with it. */
  boolean usable() {
    return !failed && !over;
  }

  void requireUsable() {
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

  StorageException busy(String why) {
    return new StorageException(
        ErrorCode.AGENT_UNAVAILABLE, why, open.imageId(), "repeat the call after a pause");
  }

  /** After an interrupt. */
  StorageException stopping() {
    Thread.currentThread().interrupt();
    return busy("this agent is stopping");
  }

  void run(StorageIo.Action action) {
    var _ =
        call(() -> {
          action.run();
          return true;
        });
  }

  /**
   * After a failure the next range begins another epoch, from the durable bytes. A full storage has
   * answered: no call is under way, and the upload continues in the same file. So has a storage
   * that says that the upload is over for this agent.
   */
  <T> T call(Callable<T> action) {
    try {
      return io.call(repository, IO_DEADLINE, calls.counted(action));
    } catch (RuntimeException e) {
      throw noteFailure(e);
    }
  }

  /** A call that another thread makes, and whose failure it notes. */
  <T> Callable<T> counted(Callable<T> action) {
    return calls.counted(action);
  }

  RuntimeException noteFailure(RuntimeException failure) {
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

  /** The next call does not go on with it. */
  void end() {
    over = true;
  }

  /** No other call begins. */
  void shut() {
    over = true;
    calls.shut();
  }

  /** Whether the file is closed: never while a call is under way. */
  boolean close(Duration patience) throws InterruptedException {
    // Closing asks the storage, too.
    return !repository.pulse().hang().isDone() && calls.close(patience);
  }

  void noteLetGo() {
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
}
