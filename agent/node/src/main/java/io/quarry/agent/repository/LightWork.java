package io.quarry.agent.repository;

import io.quarry.coordinator.thread.Supervisor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads for light fixes of one repository. A hanging storage blocks these threads, but none
 * of another repository.
 */
public final class LightWork implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LightWork.class);

  /** The number of fixes at once; fixes wait for the storage most of the time. */
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

  private record Task(Runnable work, Runnable dropped) implements Runnable {
    @Override
    public void run() {
      work.run();
    }
  }

  /**
   * Runs the work as soon as a thread is free. The log limits how many fixes a host gets at a time.
   *
   * @param dropped runs instead when the repository is disconnected before that, since other code
   *     waits for the work
   */
  public void execute(Runnable work, Runnable dropped) {
    try {
      threads.execute(new Task(work, dropped));
    } catch (RejectedExecutionException e) {
      LOG.debug("{} is being disconnected", name);
      dropped.run();
    }
  }

  /** Begins no more fixes. */
  @Override
  public void close() {
    List<Runnable> waiting = new ArrayList<>();
    threads.shutdown();
    threads.getQueue().drainTo(waiting);
    waiting.forEach(task -> ((Task) task).dropped().run());
  }
}
