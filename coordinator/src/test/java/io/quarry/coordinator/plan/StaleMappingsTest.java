package io.quarry.coordinator.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.coordinator.plan.CarelessAgent.Mistake;
import io.quarry.coordinator.plan.MappingWorld.Wrong;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Hosts with devices for files, whose requests come late, twice or never. No host has a device for
 * extents that another file has got.
 */
class StaleMappingsTest {
  private static final long SCHEDULES = Long.getLong("quarry.mappingSchedules", 150);

  /** As many as are enough to find each mistake. */
  private static final long SCHEDULES_MAX = 20_000;

  private static MappingWorld world(long seed, Mistake mistake, Wrong wrong) {
    return new MappingWorld(
        seed,
        (hostId, boot, kernel, start) -> new CarelessAgent(hostId, boot, kernel, start, mistake),
        wrong);
  }

  @Test
  void noHostKeepsADeviceForExtentsOfAnotherFile() throws IOException {
    for (long seed = 0; seed < SCHEDULES; seed++) {
      world(seed, Mistake.NONE, Wrong.NOTHING).run();
    }
  }

  @Test
  void muchHappens() throws IOException {
    int reused = 0;
    for (long seed = 0; seed < 50; seed++) {
      MappingWorld world = world(seed, Mistake.NONE, Wrong.NOTHING);
      world.run();
      reused += world.reusedExtents();
    }
    assertThat(reused).isGreaterThan(100);
  }

  /** A host that breaks a rule is found, so the schedules would find a planner that allows it. */
  @ParameterizedTest
  @EnumSource(value = Mistake.class, mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void agentThatMakesAMistakeIsFound(Mistake mistake) {
    assertThatThrownBy(
            () -> {
              for (long seed = 0; seed < SCHEDULES_MAX; seed++) {
                world(seed, mistake, Wrong.NOTHING).run();
              }
            })
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("has a device for");
  }

  @ParameterizedTest
  @EnumSource(value = Wrong.class, mode = EnumSource.Mode.EXCLUDE, names = "NOTHING")
  void otherWrongsAreFound(Wrong wrong) {
    assertThatThrownBy(
            () -> {
              for (long seed = 0; seed < SCHEDULES_MAX; seed++) {
                world(seed, Mistake.NONE, wrong).run();
              }
            })
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("has a device for");
  }
}
