package io.quarry.agent.service;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * What the API itself has to ask of a storage, on threads of its own and with a deadline: a mount
 * that hangs takes some of these threads, and never the API's.
 */
public final class StorageIo implements AutoCloseable {
  /** A storage that takes longer than this to answer is unresponsive. */
  private static final Duration DEADLINE = Duration.ofSeconds(10);

  private static final int THREADS_MAX = 32;

  private final ExecutorService threads =
      new ThreadPoolExecutor(
          0,
          THREADS_MAX,
          10,
          TimeUnit.SECONDS,
          new SynchronousQueue<>(),
          Thread.ofPlatform().name("storage-io-", 0).daemon(true).factory());

  /**
   * @param subject what errors are about
   */
  public <T> T call(String subject, Callable<T> action) {
    return call(subject, DEADLINE, action);
  }

  /** For what may take longer on a storage that is well. */
  public <T> T call(String subject, Duration deadline, Callable<T> action) {
    Future<T> result;
    try {
      result = threads.submit(action);
    } catch (RejectedExecutionException e) {
      throw unresponsive(subject, THREADS_MAX + " calls are waiting for storages already", e);
    }
    try {
      return result.get(deadline.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw unresponsive(subject, "it did not answer within " + deadline.toSeconds() + " s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw unresponsive(subject, "the call was interrupted", e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case StorageException refused -> throw refused;
        case IOException failed ->
            throw unresponsive(subject, String.valueOf(failed.getMessage()), failed);
        case null, default -> throw new IllegalStateException(e.getCause());
      }
    }
  }

  private static StorageException unresponsive(String subject, String why, Throwable cause) {
    return new StorageException(
        ErrorCode.REPOSITORY_UNRESPONSIVE,
        "the storage of " + subject + " cannot be used now: " + why,
        subject,
        "see whether the storage is reachable from this host, or ask another agent",
        cause);
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
