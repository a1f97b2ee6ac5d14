package io.quarry.agent.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class WorkPlaceTest {
  @TempDir Path directory;

  @Test
  void leavesAnExistingDirectoryEmptyAndTakesANewOneAway() throws Exception {
    for (Path wanted : new Path[] {directory, directory.resolve("new")}) {
      WorkPlace place = WorkPlace.prepare(wanted);
      Files.createDirectories(place.directory().resolve("a/b"));
      Files.writeString(place.directory().resolve("a/b/c"), "x");
      place.clean();
    }
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void refusesADirectoryThatIsNotEmpty() throws Exception {
    Files.writeString(directory.resolve("thesis"), "x");
    assertThatThrownBy(() -> WorkPlace.prepare(directory))
        .isInstanceOf(DemoFailure.class)
        .hasMessageContaining("is not empty");
  }

  @Test
  void saysHowMuchSpaceIsMissing() throws Exception {
    WorkPlace place = WorkPlace.prepare(directory);
    assertThatThrownBy(() -> place.checkFreeSpace(1L << 60))
        .isInstanceOf(DemoFailure.class)
        .isInstanceOfSatisfying(
            DemoFailure.class, failure -> assertThat(failure.remedy()).contains("--directory"))
        .hasMessageContaining("the demo needs");
  }
}
