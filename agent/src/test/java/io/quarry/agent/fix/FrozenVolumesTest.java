package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.plan.RemoveImage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** 20.1: the mode of each volume's file, after each step of a small story. */
final class FrozenVolumesTest {
  private static final String WRITABLE = "rw-rw----";
  private static final String FROZEN = "r--r-----";

  @TempDir private Path directory;

  @SuppressWarnings("NullAway.Init")
  private FrozenStory story;

  @BeforeEach
  void begin() throws Exception {
    story = new FrozenStory(directory);
  }

  @AfterEach
  void end() throws Exception {
    FaultPoints.observe(null);
    story.close();
  }

  @Test
  void whatASnapshotTakesOverIsFrozenAndTheDiskGoesOnWritable() throws Exception {
    story.disk("disk");
    assertThat(story.mode("disk")).isEqualTo(WRITABLE);
    story.write("disk", "write -P 1 0 64k");
    story.snapshot("snapshot", "disk", "overlay");
    assertThat(story.mode("snapshot")).isEqualTo(FROZEN);
    assertThat(story.mode("disk")).isEqualTo(WRITABLE);
  }

  @Test
  void whatIsMergedIntoASnapshotIsFrozen() throws Exception {
    story.disk("disk");
    story.snapshot("first", "disk", "one");
    story.write("disk", "write -P 1 0 64k");
    story.snapshot("second", "disk", "two");
    story.commit(new RemoveImage("first", true, Duration.ZERO));
    story.runAll();
    assertThat(story.mode("second")).isEqualTo(FROZEN);
    assertThat(story.mode("disk")).isEqualTo(WRITABLE);
  }

  /** R6: the base is writable while the merge writes, and frozen again when the merge leaves it. */
  @Test
  void mergeInPlaceThawsTheBaseAndLeavesItFrozen() throws Exception {
    story.disk("disk");
    story.write("disk", "write -P 1 0 1M");
    story.snapshot("snapshot", "disk", "overlay");
    story.write("disk", "write -P 2 0 64k");
    Path base = story.top("snapshot");
    List<String> modes = new ArrayList<>();
    FaultPoints.observe(place -> {
      if (place.equals("mend.publish")) {
        modes.add(FrozenStory.modeOf(base));
        throw new IllegalStateException("the worker cannot go on");
      }
    });
    story.commit(new RemoveImage("snapshot", true, Duration.ZERO));
    assertThat(story.run(Objects.requireNonNull(story.next()))).isEqualTo(FixRunner.End.FAILED);
    assertThat(modes).containsExactly(WRITABLE);
    assertThat(FrozenStory.modeOf(base)).isEqualTo(FROZEN);

    FaultPoints.observe(null);
    story.runAll();
    assertThat(story.top("disk")).isEqualTo(base);
    assertThat(story.mode("disk")).isEqualTo(WRITABLE);
  }
}
