package io.quarry.agent.service;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.service.EventFollower.Told;
import io.quarry.common.api.Event;
import io.quarry.common.api.EventStream;
import io.quarry.common.api.TaskInfo;
import io.quarry.coordinator.log.CommitHistory.Mark;
import io.quarry.coordinator.thread.Deadline;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One watcher's events. Repositories that are connected later join in. The watch buffers only a few
 * events. So a watcher that does not ask for the next event holds up no other watcher.
 */
final class EventWatch implements EventStream {
  private static final int AHEAD_MAX = 16;
  private static final long ROUND_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** Begins to tell events of a repository. */
  @FunctionalInterface
  interface Follow {
    Thread start(ConnectedRepository repository, EventWatch watch);
  }

  private final Supplier<List<ConnectedRepository>> repositories;
  private final Supplier<List<TaskInfo>> tasks;
  private final Follow follow;
  private final BlockingQueue<Told> told = new ArrayBlockingQueue<>(AHEAD_MAX);
  private final Map<ConnectedRepository, Thread> followers = new HashMap<>();
  private final Queue<Event> ready = new ArrayDeque<>();
  private Map<String, TaskInfo> shown = new HashMap<>();
  private EventCursor cursor;
  private long lastLook;
  private volatile boolean closed;

  EventWatch(
      EventCursor cursor,
      Supplier<List<ConnectedRepository>> repositories,
      Supplier<List<TaskInfo>> tasks,
      Follow follow) {
    this.cursor = cursor;
    this.repositories = repositories;
    this.tasks = tasks;
    this.follow = follow;
    this.lastLook = System.nanoTime() - ROUND_NANOS;
    ready.add(new Event.Start(cursor.text()));
  }

  EventCursor cursor() {
    return cursor;
  }

  BlockingQueue<Told> told() {
    return told;
  }

  boolean follows(ConnectedRepository repository) {
    return !closed && repositories.get().contains(repository);
  }

  @Override
  public @Nullable Event next(Duration timeout) {
    Deadline deadline = Deadline.after(timeout);
    while (true) {
      look();
      Event waiting = ready.poll();
      if (waiting != null) {
        return waiting;
      }
      long left = deadline.remainingNanos();
      Told next = poll(Math.min(left, ROUND_NANOS));
      if (next != null && !toldBefore(next)) {
        cursor = cursor.with(next.key(), next.mark());
        return next.event().with(cursor.text());
      }
      if ((left == 0 && next == null) || Thread.currentThread().isInterrupted()) {
        return null;
      }
    }
  }

  /** A repository that was connected anew is followed from its watcher's last mark on. */
  private boolean toldBefore(Told next) {
    Mark mark = cursor.mark(next.key());
    return next.event() instanceof Event.Commit
        && mark != null
        && next.mark().sequence() <= mark.sequence();
  }

  private @Nullable Told poll(long nanos) {
    try {
      return told.poll(nanos, TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    }
  }

  /**
   * Looks for changes without a notification: connected or disconnected repositories, and progress.
   */
  private void look() {
    long now = System.nanoTime();
    if (now - lastLook < ROUND_NANOS) {
      return;
    }
    lastLook = now;
    List<ConnectedRepository> connected = repositories.get();
    // When a follower's thread has ended, for whatever reason, a new follower starts at the
    // watcher's mark.
    followers.keySet().removeIf(gone -> !connected.contains(gone));
    followers.values().removeIf(follower -> !follower.isAlive());
    for (ConnectedRepository repository : connected) {
      followers.computeIfAbsent(repository, fresh -> follow.start(fresh, this));
    }
    Map<String, TaskInfo> running = new HashMap<>();
    for (TaskInfo task : tasks.get()) {
      running.put(task.taskId(), task);
      if (!task.equals(shown.get(task.taskId()))) {
        ready.add(new Event.Progress(task));
      }
    }
    shown = running;
  }

  @Override
  public void close() {
    closed = true;
    followers.values().forEach(Thread::interrupt);
  }
}
