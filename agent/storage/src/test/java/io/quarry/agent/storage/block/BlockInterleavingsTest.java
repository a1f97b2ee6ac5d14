package io.quarry.agent.storage.block;

import io.quarry.coordinator.log.HostileCluster;
import io.quarry.coordinator.sim.Schedules;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** The coordinator's {@code InterleavingsTest}, over blocks that each host writes for itself. */
class BlockInterleavingsTest {
  /** As in the other tests of its kind: half of this number. */
  private static final long SCHEDULES = Long.getLong("quarry.schedules", 7_000);

  private static final long SEED = Long.getLong("quarry.seed", 0);
  private static final double DEATHS = 0.001;
  private static final Schedules RUN = new Schedules();

  /** Rings that are full soon, and rings that never are. */
  private static final long[] RING_BYTES = {64 << 10, 96 << 10, 4 << 20};

  @Test
  void noScheduleBreaksTheLogOnBlocks() {
    RUN.run(
        SEED,
        SCHEDULES / 2,
        seed ->
            new HostileCluster(
                seed,
                DEATHS,
                true,
                onDecided -> {
                  Random random = new Random(~seed);
                  long ring = RING_BYTES[random.nextInt(RING_BYTES.length)];
                  return new BlockStorage(random, ring, onDecided);
                }));
  }

  @AfterAll
  static void count() {
    System.out.println(RUN);
  }
}
