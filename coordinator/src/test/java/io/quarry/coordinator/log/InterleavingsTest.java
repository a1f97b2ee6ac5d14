package io.quarry.coordinator.log;

import io.quarry.coordinator.sim.Schedules;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/**
 * The model of the commit log, checked on the code itself. Acknowledged records are durable.
 * Records reported as not committed are not in the log. The log only ever grows. {@code ./verify
 * sim} runs more schedules, or one seed again.
 */
class InterleavingsTest {
  /** Together with the schedules on files. */
  private static final long SCHEDULES = Long.getLong("quarry.schedules", 7_000);

  private static final long SEED = Long.getLong("quarry.seed", 0);
  private static final Schedules RUN = new Schedules();

  @Test
  void noScheduleBreaksTheLog() {
    RUN.run(SEED, SCHEDULES / 2, HostileCluster::inMemory);
  }

  @AfterAll
  static void count() {
    System.out.println(RUN);
  }
}
