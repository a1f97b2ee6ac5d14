package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.coordinator.sim.Quiet;
import io.quarry.coordinator.sim.Schedules;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/**
 * Whole hosts that die, pause and fail at any step. No acknowledged call may be lost or done twice,
 * and no call reported as uncommitted may be committed. No published byte may be wrong, and in the
 * end all images are mended. {@code ./verify sim} runs more histories, or one seed again.
 */
class SimulationTest {
  private static final long SCHEDULES = Long.getLong("quarry.clusterSchedules", 3_000);
  private static final long SEED = Long.getLong("quarry.seed", 0);
  private static final long COMPARED = 10;
  private static final Pattern UUIDS = Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
  private static final Schedules RUN = new Schedules();

  @Test
  void noScheduleBreaksAnImage() {
    RUN.run(SEED, SCHEDULES, SimWorld::of);
  }

  /** Otherwise a seed could not reproduce a failure. */
  @Test
  void theSameSeedIsTheSameHistory() throws Exception {
    for (long seed = 0; seed < COMPARED; seed++) {
      List<String> first = history(seed);
      List<String> second = history(seed);
      for (int i = 0; i < Math.min(first.size(), second.size()); i++) {
        assertThat(second.get(i))
            .as("step %d of seed %d after %s", i, seed, first.subList(Math.max(0, i - 40), i))
            .isEqualTo(first.get(i));
      }
      assertThat(second).hasSameSizeAs(first);
    }
  }

  private static List<String> history(long seed) throws Exception {
    SimWorld world = SimWorld.of(seed);
    try (var _ = new Quiet()) {
      world.run();
    }
    return world.trace().stream().map(step -> UUIDS.matcher(step).replaceAll("?")).toList();
  }

  @AfterAll
  static void count() {
    System.out.println(RUN);
  }
}
