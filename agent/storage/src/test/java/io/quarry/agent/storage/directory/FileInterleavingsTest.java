package io.quarry.agent.storage.directory;

import io.quarry.coordinator.log.HostileCluster;
import io.quarry.coordinator.sim.Schedules;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/**
 * The coordinator's {@code InterleavingsTest}, over files. The real store has to force files, and
 * needs several operations for each slot.
 */
class FileInterleavingsTest {
  /** The number of schedules, including those in memory. */
  private static final long SCHEDULES = Long.getLong("quarry.schedules", 7_000);

  private static final long SEED = Long.getLong("quarry.seed", 0);
  private static final double DEATHS = 0.001;
  private static final Schedules RUN = new Schedules();

  @Test
  void noScheduleBreaksTheLogsFiles() {
    RUN.run(
        SEED,
        SCHEDULES - SCHEDULES / 2,
        seed -> new HostileCluster(seed, DEATHS, true, FileStorage::new));
  }

  @AfterAll
  static void count() {
    System.out.println(RUN);
  }
}
