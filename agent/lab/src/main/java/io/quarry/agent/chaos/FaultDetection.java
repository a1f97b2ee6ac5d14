package io.quarry.agent.chaos;

import io.quarry.agent.chaos.Arena.Sights;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Whether hosts have reported a fault in time. Only the faults' thread uses this class. */
final class FaultDetection implements BooleanSupplier {
  /** Enough even on a busy machine: an SDM has to be elected, and to write a canary. */
  static final Duration PATIENCE = Duration.ofSeconds(90);

  /** A check that may fail. */
  interface Look {
    boolean look() throws InterruptedException;
  }

  private final long beganNanos = System.nanoTime();
  private final Duration atLeast;
  private final Look look;
  private final String otherwise;
  private final Sights sights;
  private boolean noticed;

  FaultDetection(Duration atLeast, Look look, String otherwise, Sights sights) {
    this.atLeast = atLeast;
    this.look = look;
    this.otherwise = otherwise;
    this.sights = sights;
  }

  @Override
  public boolean getAsBoolean() {
    try {
      noticed = noticed || look.look();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return noticed && System.nanoTime() - beganNanos > atLeast.toNanos();
  }

  /** The end of the run may come before the report. */
  void end() {
    if (!noticed && System.nanoTime() - beganNanos > PATIENCE.toNanos()) {
      sights.violation(otherwise + " after " + PATIENCE);
    }
  }
}
