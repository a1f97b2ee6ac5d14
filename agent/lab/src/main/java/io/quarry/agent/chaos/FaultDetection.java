package io.quarry.agent.chaos;

import io.quarry.agent.chaos.Arena.Sights;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Whether hosts have said in time that something is wrong. For the thread of the faults. */
final class FaultDetection implements BooleanSupplier {
  /** However busy the machine is: an SDM has to be elected, and to beat. */
  static final Duration PATIENCE = Duration.ofSeconds(90);

  /** A question. */
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

  /** The end of the run may come first. */
  void end() {
    if (!noticed && System.nanoTime() - beganNanos > PATIENCE.toNanos()) {
      sights.violation(otherwise + " after " + PATIENCE);
    }
  }
}
