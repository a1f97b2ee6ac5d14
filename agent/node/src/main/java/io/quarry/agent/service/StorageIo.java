package io.quarry.agent.service;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.process.ToolFailure;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.thread.Supervisor;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Runs what the API itself asks of a storage, on threads of its own and with a deadline. A hanging
 * mount takes some of these threads, and never the API's.
 */
public final class StorageIo implements AutoCloseable {
  /** A storage that takes longer than this to answer is unresponsive. */
  static final Duration DEADLINE = Duration.ofSeconds(10);

  private static final int THREADS_MAX = 256;

  /** A limit for one hanging storage, so that threads remain for the others. */
  static final int CALLS_PER_STORAGE_MAX = 32;

  /** A call on a storage's thread. */
  interface Action {
    void run() throws IOException;
  }

  private final Map<String, Integer> calls = new ConcurrentHashMap<>();

  private final ExecutorService threads;

  public StorageIo(Supervisor supervisor) {
    this.threads =
        new ThreadPoolExecutor(
            0,
            THREADS_MAX,
            10,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            supervisor.factory("storage-io"));
  }

  /** Fails at once while the storage is known to hang, and as soon as a hang is found. */
  public <T> T call(ConnectedRepository repository, Callable<T> action) {
    return call(repository, DEADLINE, action);
  }

  /** For calls that may take longer on a healthy storage. */
  public <T> T call(ConnectedRepository repository, Duration deadline, Callable<T> action) {
    CompletableFuture<Void> hang = repository.pulse().hang();
    if (hang.isDone()) {
      throw repository.pulse().unresponsive();
    }
    return call(repository.repoId(), deadline, hang, action);
  }

  /**
   * @param subject the subject of errors
   */
  <T> T call(String subject, Callable<T> action) {
    return call(subject, DEADLINE, action);
  }

  /**
   * For results that must be closed: a result that comes after its caller gave up is closed here.
   */
  public <T> T open(
      String subject, Duration deadline, Callable<T> action, Consumer<? super T> close) {
    return open(action, close, opening -> call(subject, deadline, opening));
  }

  /** Opens on a repository even while its storage is known to hang. */
  <T> T open(
      ConnectedRepository repository,
      Duration deadline,
      Callable<T> action,
      Consumer<? super T> close) {
    return open(action, close, opening -> call(repository, deadline, opening));
  }

  private static <T> T open(
      Callable<T> action, Consumer<? super T> close, Function<Callable<T>, T> calling) {
    Handover<T> handover = new Handover<>(close);
    try {
      return calling.apply(() -> {
        T opened = action.call();
        handover.give(opened);
        return opened;
      });
    } catch (StorageException e) {
      T opened = handover.giveUp();
      if (opened == null) {
        throw e;
      }
      return opened;
    }
  }

  <T> T call(String subject, Duration deadline, Callable<T> action) {
    return call(subject, deadline, new CompletableFuture<>(), action);
  }

  private <T> T call(
      String subject, Duration deadline, CompletableFuture<Void> hang, Callable<T> action) {
    CompletableFuture<T> result;
    try {
      result = submit(subject, action);
    } catch (RejectedExecutionException e) {
      throw unresponsive(subject, "too many calls are waiting for storages already", e);
    }
    try {
      var _ = CompletableFuture.anyOf(result, hang).get(deadline.toMillis(), TimeUnit.MILLISECONDS);
      if (!result.isDone()) {
        throw new TimeoutException("the storage hangs");
      }
      return result.get();
    } catch (TimeoutException e) {
      String why =
          hang.isDone()
              ? "it does not answer on this host"
              : "it did not answer within " + deadline.toSeconds() + " s";
      throw unresponsive(subject, why, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw unresponsive(subject, "the call was interrupted", e);
    } catch (ExecutionException e) {
      throw failure(subject, e);
    }
  }

  private <T> CompletableFuture<T> submit(String subject, Callable<T> action) {
    if (calls.merge(subject, 1, Integer::sum) > CALLS_PER_STORAGE_MAX) {
      ended(subject);
      throw new RejectedExecutionException(
          CALLS_PER_STORAGE_MAX + " calls are waiting for the storage of " + subject);
    }
    CompletableFuture<T> result = new CompletableFuture<>();
    try {
      threads.execute(() -> {
        try {
          result.complete(action.call());
        } catch (Throwable e) {
          result.completeExceptionally(e);
        } finally {
          ended(subject);
        }
      });
      return result;
    } catch (RuntimeException | Error e) {
      ended(subject);
      throw e;
    }
  }

  private void ended(String subject) {
    calls.compute(subject, (_, count) -> count == null || count == 1 ? null : count - 1);
  }

  /** The failure that callers get for a failure on a storage's thread. */
  static RuntimeException failure(String subject, ExecutionException e) {
    return switch (e.getCause()) {
      case StorageException refused -> refused;
      case IOException failed -> failure(subject, failed);
      case null, default -> new IllegalStateException(e.getCause());
    };
  }

  private static StorageException failure(String subject, IOException failed) {
    String why = String.valueOf(failed.getMessage());
    if (failed instanceof ToolFailure tool && tool.killed()) {
      return new StorageException(
          ErrorCode.AGENT_UNAVAILABLE,
          "a tool of this host was killed: " + why,
          subject,
          "repeat the call, and look in this host's kernel log for what kills tools",
          failed);
    }
    FileFailure.Forbidden forbidden = FileFailure.Forbidden.in(failed);
    if (forbidden != null) {
      return new StorageException(
          ErrorCode.VOLUME_FORBIDDEN,
          "a file of " + subject + " cannot be used: " + forbidden.getMessage(),
          subject,
          forbidden.remedy(),
          failed);
    }
    if (FileFailure.kindOf(failed) == FileFailure.Kind.NO_SPACE) {
      return new StorageException(
          ErrorCode.NO_SPACE,
          "the storage of " + subject + " is full: " + why,
          subject,
          "free some space, by removing images for example, and call again",
          failed);
    }
    return unresponsive(subject, why, failed);
  }

  private static StorageException unresponsive(String subject, String why, Throwable cause) {
    return new StorageException(
        ErrorCode.REPOSITORY_UNRESPONSIVE,
        "the storage of " + subject + " cannot be used now: " + why,
        subject,
        FileFailure.remedyOf(cause),
        cause);
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }

  /** Hands a result from the storage's thread to the caller, if the caller still waits. */
  private static final class Handover<T> {
    private final Consumer<? super T> close;
    private @Nullable T given;
    private boolean givenUp;

    Handover(Consumer<? super T> close) {
      this.close = close;
    }

    void give(T opened) {
      synchronized (this) {
        if (!givenUp) {
          given = opened;
          return;
        }
      }
      close.accept(opened);
    }

    /** The result that came at the last moment, or null. */
    synchronized @Nullable T giveUp() {
      givenUp = true;
      return given;
    }
  }
}
