package io.quarry.agent.demo;

import io.quarry.common.api.StorageApi;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.model.Progress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Sees which host works on a fix, by asking each host's agent for its own tasks every few
 * milliseconds. Each host has one thread; a dead agent does not hold up the others.
 */
final class TaskWatch implements AutoCloseable {
  static final Duration EVERY = Duration.ofMillis(5);

  /** One answer of one host, at {@link System#nanoTime}. */
  record Sighting(String hostId, long epoch, int percent, @Nullable Progress progress, long nanos) {
    static Sighting of(TaskInfo task) {
      Progress progress = task.progress();
      return new Sighting(
          task.hostId(),
          task.epoch(),
          progress == null ? Progress.UNKNOWN_PERCENT : progress.percentComplete(),
          progress,
          System.nanoTime());
    }

    long bytesTotal() {
      return progress == null ? 0 : progress.bytesTotal();
    }

    long bytesDone() {
      return progress == null ? 0 : Math.max(0, progress.bytesDone());
    }
  }

  private final String fixId;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition seen = lock.newCondition();
  private final List<Thread> threads = new ArrayList<>();
  private @Nullable Sighting last;

  private TaskWatch(String fixId) {
    this.fixId = fixId;
  }

  static TaskWatch start(Map<String, StorageApi> hosts, String fixId) {
    TaskWatch watch = new TaskWatch(fixId);
    hosts.forEach((hostId, api) ->
        watch.threads.add(
            Thread.ofVirtual().name("watch-" + hostId).start(() -> watch.ask(hostId, api))));
    return watch;
  }

  /** The latest answer about the highest epoch. */
  @Nullable Sighting last() {
    lock.lock();
    try {
      return last;
    } finally {
      lock.unlock();
    }
  }

  /** Null when no such sighting came in time. */
  @Nullable Sighting await(Predicate<Sighting> wanted, Duration atMost)
      throws InterruptedException {
    long left = atMost.toNanos();
    lock.lockInterruptibly();
    try {
      while (last == null || !wanted.test(last)) {
        if (left <= 0) {
          return null;
        }
        left = seen.awaitNanos(left);
      }
      return last;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    threads.forEach(Thread::interrupt);
  }

  private void ask(String hostId, StorageApi api) {
    try {
      while (true) {
        try {
          api.listTasks(hostId).stream()
              .filter(task -> task.fixId().equals(fixId))
              .forEach(task -> take(Sighting.of(task)));
        } catch (StorageException dead) {
          // The loop asks again.
        }
        Thread.sleep(EVERY);
      }
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
    }
  }

  private void take(Sighting sighting) {
    lock.lock();
    try {
      if (last == null || sighting.epoch() >= last.epoch()) {
        last = sighting;
        seen.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }
}
