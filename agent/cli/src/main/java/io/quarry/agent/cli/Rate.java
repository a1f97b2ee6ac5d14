package io.quarry.agent.cli;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** The speed of some work over the last seconds. */
final class Rate {
  private static final long WINDOW_NANOS = 10_000_000_000L;
  private static final long SURE_NANOS = 500_000_000L;

  private record Sample(long nanos, long done) {}

  private final Deque<Sample> samples = new ArrayDeque<>();

  /** Starts again when {@code done} falls, since a new stage has begun. */
  void add(long nanos, long done) {
    Sample last = samples.peekLast();
    if (last != null && done < last.done) {
      samples.clear();
    }
    samples.addLast(new Sample(nanos, done));
    while (samples.size() > 2 && nanos - samples.getFirst().nanos > WINDOW_NANOS) {
      samples.removeFirst();
    }
  }

  /** −1 while too few samples are known. */
  long bytesPerSecond() {
    Sample first = samples.peekFirst();
    Sample last = samples.peekLast();
    if (first == null || last == null || last.nanos - first.nanos < SURE_NANOS) {
      return -1;
    }
    return (long) ((last.done - first.done) * 1e9 / (last.nanos - first.nanos));
  }

  /** Null while no estimate is possible. */
  @Nullable Duration left(long done, long total) {
    long rate = bytesPerSecond();
    return rate <= 0 || total < done ? null : Duration.ofSeconds((total - done + rate - 1) / rate);
  }
}
