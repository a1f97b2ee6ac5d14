package io.quarry.coordinator.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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

  @Test
  void noHostKeepsADeviceForExtentsOfAnotherFile() {
    for (long seed = 0; seed < SCHEDULES; seed++) {
      new MappingWorld(seed, MappingWorld.Mistake.NONE).run();
    }
  }

  @Test
  void muchHappens() {
    int reused = 0;
    for (long seed = 0; seed < 50; seed++) {
      MappingWorld world = new MappingWorld(seed, MappingWorld.Mistake.NONE);
      world.run();
      reused += world.reusedExtents();
    }
    assertThat(reused).isGreaterThan(100);
  }

  /** A host that breaks a rule is found, so the schedules would find a planner that allows it. */
  @ParameterizedTest
  @EnumSource(value = MappingWorld.Mistake.class, mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void hostThatMakesAMistakeIsFound(MappingWorld.Mistake mistake) {
    assertThatThrownBy(
            () -> {
              for (long seed = 0; seed < SCHEDULES_MAX; seed++) {
                new MappingWorld(seed, mistake).run();
              }
            })
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("has a device for");
  }
}
