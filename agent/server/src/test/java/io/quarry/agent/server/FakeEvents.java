package io.quarry.agent.server;

import io.quarry.agent.call.FakeStorage;
import io.quarry.common.api.Event;
import io.quarry.common.api.EventStream;
import io.quarry.common.api.StorageException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Commits of one repository, whose numbers are the ids of the events. */
final class FakeEvents implements EventStream {
  /** The text of some images, so that an event takes room. */
  static final int EVENT_CHARS = 1_000;

  private static final long TURN_NANOS = 1_000_000;

  private final AtomicLong last;
  private long told;
  private boolean started;

  FakeEvents(@Nullable String since, AtomicLong last) {
    this.last = last;
    try {
      this.told = since == null ? last.get() : Long.parseLong(since);
    } catch (NumberFormatException e) {
      throw StorageException.invalid("since", since + " is no event's id", "Give one.");
    }
  }

  @Override
  public @Nullable Event next(Duration timeout) {
    if (!started) {
      started = true;
      return new Event.Start(Long.toString(told));
    }
    long deadline = System.nanoTime() + timeout.toNanos();
    while (told >= last.get()) {
      if (System.nanoTime() >= deadline || Thread.currentThread().isInterrupted()) {
        return null;
      }
      LockSupport.parkNanos(TURN_NANOS);
    }
    told++;
    var operation =
        new Event.Operation("createVirtualDisk", "x".repeat(EVENT_CHARS), "r", List.of());
    return new Event.Commit(
        Long.toString(told), "fast", told, FakeStorage.NOON, List.of(operation));
  }

  @Override
  public void close() {}
}
