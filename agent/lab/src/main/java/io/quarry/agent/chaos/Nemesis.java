package io.quarry.agent.chaos;

import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** The endless sequence of faults that a seed determines. */
final class Nemesis {
  private static final Duration LASTS_MIN = Duration.ofMillis(300);

  /** Longer than a session, so that other hosts take over. */
  private static final Duration LASTS_MAX = Duration.ofSeconds(7);

  private final Random random;
  private final Duration pace;
  private final List<Fault.Kind> kinds;
  private final int weights;

  Nemesis(long seed, Duration pace, Set<Fault.Kind> possible) {
    this.random = new Random(seed);
    this.pace = pace;
    this.kinds = possible.stream().sorted().toList();
    this.weights = kinds.stream().mapToInt(Fault.Kind::weight).sum();
  }

  Fault next() {
    Fault.Kind kind = kind(random.nextInt(weights));
    int roll = random.nextInt(1 << 20);
    Duration lasts = LASTS_MIN.plusMillis(random.nextLong(LASTS_MAX.minus(LASTS_MIN).toMillis()));
    Duration pause =
        Duration.ofMillis(pace.toMillis() / 4 + random.nextLong(pace.toMillis() * 3 / 2));
    return new Fault(kind, roll, lasts, pause);
  }

  private Fault.Kind kind(int drawn) {
    int left = drawn;
    for (Fault.Kind kind : kinds) {
      left -= kind.weight();
      if (left < 0) {
        return kind;
      }
    }
    throw new IllegalStateException("no kind of " + drawn);
  }
}
