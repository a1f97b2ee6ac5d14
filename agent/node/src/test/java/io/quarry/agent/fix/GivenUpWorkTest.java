package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.model.FixType;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.plan.CreateVirtualDisk;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.RemoveImage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A stopped run saves its progress while a clean removes the run's notes. */
final class GivenUpWorkTest {
  @TempDir private Path directory;

  @SuppressWarnings("NullAway.Init")
  private FrozenStory story;

  @BeforeEach
  void begin() throws Exception {
    story = new FrozenStory(directory);
    FaultPoints.observe(SteppedWorker::reached);
  }

  @AfterEach
  void end() {
    FaultPoints.observe(null);
    story.close();
  }

  /** A merge's folder stayed on the storage until an operator ran check and fix. */
  @Test
  void nothingStaysOfAMergeThatLetsGoWhileItIsCleaned() throws Exception {
    story.disk("disk");
    story.write("disk", "write -P 1 0 1M");
    story.snapshot("first", "disk", "one");
    story.write("disk", "write -P 2 0 64k");
    story.snapshot("second", "disk", "two");
    story.commit(new RemoveImage("first", true, Duration.ZERO, false));
    FixState merge = Objects.requireNonNull(story.next());
    SteppedWorker merging = new SteppedWorker(story.granted(merge));
    goOnTo(merging, "fix.saved");

    story.commit(new RemoveImage("disk", true, Duration.ZERO, false));
    story.commit(new RemoveImage("second", true, Duration.ZERO, false));
    SteppedWorker cleaning = new SteppedWorker(story.granted(cleanOf(merge)));
    goOnTo(cleaning, "fix.forgetting");
    merging.run().stop("it is no longer needed");
    merging.goOnToTheEnd();
    cleaning.goOnToTheEnd();
    story.runAll();

    assertThat(directory.resolve("here/fixes")).isEmptyDirectory();
    assertThat(directory.resolve("here/volumes")).isEmptyDirectory();
  }

  /** The clean knows by the claims how many epochs may have left files. */
  @Test
  void filesOfEarlierEpochsAreRemovedToo() throws Exception {
    FixState copy = copyToBe();
    for (int epoch = 1; epoch <= 2; epoch++) {
      var _ = story.granted(copy);
    }
    SteppedWorker dying = new SteppedWorker(story.granted(copy));
    goOnTo(dying, "fix.saved");
    dying.die();
    SteppedWorker copying = new SteppedWorker(story.granted(copy));
    goOnTo(copying, "fix.saved");

    story.commit(new RemoveImage("thin", true, Duration.ZERO, false));
    copying.run().stop("it is no longer needed");
    copying.goOnToTheEnd();
    story.commit(new RemoveImage("disk", true, Duration.ZERO, false));
    story.commit(new RemoveImage("first", true, Duration.ZERO, false));
    story.runAll();

    assertThat(directory.resolve("here/fixes")).isEmptyDirectory();
    assertThat(directory.resolve("here/volumes")).isEmptyDirectory();
  }

  /** The run that begins late makes its file after the clean has forgotten the claims. */
  @Test
  void fileThatIsMadeAfterTheCleanIsRemovedByItsRun() throws Exception {
    FixState copy = copyToBe();
    SteppedWorker late = new SteppedWorker(story.granted(copy));
    goOnTo(late, "volume.creating");
    story.commit(new RemoveImage("thin", true, Duration.ZERO, false));
    story.runAll();
    late.goOnToTheEnd();

    assertThat(directory.resolve("here/fixes")).isEmptyDirectory();
    assertThat(Objects.requireNonNull(directory.resolve("here/volumes").toFile().list()))
        .containsExactlyInAnyOrder(
            String.valueOf(story.volumeOf("disk").file()),
            String.valueOf(story.volumeOf("first").file()));
  }

  /** A thin disk that is to get a volume of its own. */
  private FixState copyToBe() throws Exception {
    story.disk("disk");
    story.write("disk", "write -P 1 0 1M");
    story.snapshot("first", "disk", "one");
    story.commit(
        new CreateVirtualDisk(
            "thin",
            "thin-0",
            FrozenStory.SIZE,
            "first",
            null,
            Strategy.PERFORMANCE,
            true,
            JsonNodeFactory.instance.objectNode(),
            null));
    assertThat(story.run(Objects.requireNonNull(story.next()))).isEqualTo(FixExecution.End.OVER);
    FixState copy = Objects.requireNonNull(story.next());
    assertThat(copy.type()).isEqualTo(FixType.OPTIMIZE);
    return copy;
  }

  private FixState cleanOf(FixState merge) throws Exception {
    return Objects.requireNonNull(
        story.state().fixes().get(FixState.cleanId(String.valueOf(merge.volumeId()))));
  }

  private static void goOnTo(SteppedWorker worker, String place) throws InterruptedException {
    while (!worker.place().equals(place)) {
      assertThat(worker.over()).as("over before " + place).isFalse();
      worker.goOn();
    }
  }
}
