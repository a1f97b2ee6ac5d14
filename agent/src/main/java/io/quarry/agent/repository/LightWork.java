package io.quarry.agent.repository;

import io.quarry.coordinator.thread.Supervisor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads for light fixes of one repository: a storage that hangs keeps its own, and none of
 * another repository's.
 */
public final class LightWork implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LightWork.class);

  /** Fixes at once; they wait for the storage most of the time. */
  private static final int AT_ONCE_MAX = 16;

  private static final long IDLE_SECONDS = 10;

  private final String name;
  private final ThreadPoolExecutor threads;

  LightWork(String name, Supervisor supervisor) {
    this.name = name;
    this.threads =
        new ThreadPoolExecutor(
            AT_ONCE_MAX,
            AT_ONCE_MAX,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            supervisor.factory("granted-" + name));
    threads.allowCoreThreadTimeOut(true);
  }

  /** When there is a thread for it. The log limits how much a host is given at a time. */
  public void execute(Runnable work) {
    try {
      threads.execute(work);
    } catch (RejectedExecutionException e) {
      LOG.debug("{} is being disconnected", name);
    }
  }

  /** Begins nothing more. */
  @Override
  public void close() {
    threads.shutdown();
    threads.getQueue().clear();
  }
}
