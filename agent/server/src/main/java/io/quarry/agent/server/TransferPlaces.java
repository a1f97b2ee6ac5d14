package io.quarry.agent.server;

import java.time.Duration;
import java.util.Comparator;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Places for uploads and downloads. When all places are taken, the transfer with the slowest caller
 * makes way for a new one. That transfer breaks off, and its caller may continue with the rest
 * later. Delays by the agent itself, also by its throttle, do not count.
 */
final class TransferPlaces {
  private final Admission admission;
  private final Duration grace;
  private final Set<Place> taken = ConcurrentHashMap.newKeySet();

  TransferPlaces(int max, Duration grace) {
    this.admission = new Admission(max);
    this.grace = grace;
  }

  /** For stops, and for the refusal when there is no place. */
  Admission admission() {
    return admission;
  }

  /** Null when there is no place. */
  @Nullable Place enter() {
    if (!admission.enter() && !makeRoom()) {
      return null;
    }
    Place place = new Place();
    taken.add(place);
    return place;
  }

  /** Frees the place of a slow transfer; false when no transfer is slow. */
  private boolean makeRoom() {
    return !admission.stopping()
        && taken.stream()
            .filter(Place::slow)
            .sorted(Comparator.comparingDouble(Place::bytesPerSecond))
            .anyMatch(Place::breakOff);
  }

  /** One transfer's place, and the waits for its caller. */
  final class Place {
    private final AtomicBoolean left = new AtomicBoolean();
    private final LongAdder bytes = new LongAdder();
    private final LongAdder waitedNanos = new LongAdder();
    private volatile long waitingSince;
    private volatile boolean waiting;
    private volatile Runnable closing = () -> {};

    /** The action that ends the transfer. */
    void onBreakOff(Runnable close) {
      closing = close;
    }

    void waits() {
      waitingSince = System.nanoTime();
      waiting = true;
    }

    void moved(int count) {
      waiting = false;
      waitedNanos.add(System.nanoTime() - waitingSince);
      bytes.add(count);
    }

    private long nanos() {
      return waitedNanos.sum() + (waiting ? System.nanoTime() - waitingSince : 0);
    }

    private boolean slow() {
      return nanos() > grace.toNanos() && bytesPerSecond() < ServerLimits.SLOW_BYTES_PER_SECOND;
    }

    private double bytesPerSecond() {
      return bytes.sum() * 1e9 / Math.max(1, nanos());
    }

    private boolean breakOff() {
      if (!leaveOnce()) {
        return false;
      }
      closing.run();
      return true;
    }

    void leave() {
      if (leaveOnce()) {
        admission.leave();
      }
    }

    private boolean leaveOnce() {
      taken.remove(this);
      return !left.getAndSet(true);
    }
  }
}
