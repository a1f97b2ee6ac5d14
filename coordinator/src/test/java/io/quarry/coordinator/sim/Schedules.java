package io.quarry.coordinator.sim;

import java.util.Locale;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;

/** Runs schedules of a simulated cluster, each from its seed, on all processors, and counts. */
public final class Schedules {
  /** People look at violations one by one; further ones rarely show a new cause. */
  private static final int VIOLATIONS_MAX = 10;

  private static final double NANOS_PER_SECOND = 1e9;

  /** How often a long run reports its progress. */
  private static final long TELL_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final AtomicLong done = new AtomicLong();
  private final AtomicLong toldAt = new AtomicLong();
  private long planned;
  private long violations;
  private long nanos;

  /** One history. */
  @FunctionalInterface
  public interface History {
    void run() throws Exception;
  }

  /** Makes a cluster with a history of its own. */
  @FunctionalInterface
  public interface Make {
    History cluster(long seed) throws Exception;
  }

  /** Fails with the lowest seed that breaks something. */
  public void run(long firstSeed, long count, Make make) {
    ConcurrentSkipListMap<Long, Throwable> broken = new ConcurrentSkipListMap<>();
    long began = System.nanoTime();
    toldAt.set(began);
    planned += count;
    try (var _ = new Quiet()) {
      LongStream.range(firstSeed, firstSeed + count)
          .parallel()
          .filter(seed -> broken.size() < VIOLATIONS_MAX)
          .forEach(seed -> {
            done.incrementAndGet();
            try {
              make.cluster(seed).run();
            } catch (Exception | AssertionError e) {
              broken.put(seed, e);
              System.out.println("seed " + seed + " breaks something");
            }
            tell(broken.size());
          });
    }
    nanos += System.nanoTime() - began;
    violations += broken.size();
    if (!broken.isEmpty()) {
      var first = broken.firstEntry();
      throw new AssertionError(
          "seed " + first.getKey() + " breaks something, of those that do: " + broken.keySet(),
          first.getValue());
    }
  }

  private void tell(int broken) {
    long now = System.nanoTime();
    long before = toldAt.get();
    if (now - before > TELL_NANOS && toldAt.compareAndSet(before, now)) {
      System.out.printf(
          Locale.ROOT, "%d of %d schedules, %d violations so far%n", done.get(), planned, broken);
    }
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "schedules: %d, violations: %d, schedules/s: %.0f",
        done.get(),
        violations,
        done.get() * NANOS_PER_SECOND / Math.max(1, nanos));
  }
}
