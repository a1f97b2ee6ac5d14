package io.quarry.coordinator.log;

import org.junit.jupiter.api.Test;

/**
 * The model of the commit log, checked on the code itself: acknowledged records are durable, what
 * was reported as not committed is not in the log, and the log only ever grows.
 */
class InterleavingsTest {
  private static final int SCHEDULES = Integer.getInteger("quarry.schedules", 2_500);

  @Test
  void noScheduleBreaksTheLog() {
    for (long seed = 0; seed < SCHEDULES; seed++) {
      try {
        new HostileCluster(seed).run();
      } catch (Exception | AssertionError e) {
        throw new AssertionError("seed " + seed + " of the schedules breaks the log", e);
      }
    }
  }
}
