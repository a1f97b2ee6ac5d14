package io.quarry.agent.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.api.Problem;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume.Stage;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The check must look at the whole chain: a difference over a difference would otherwise name the
 * wrong base.
 */
final class WaitingImagesTest {
  @Test
  void differencesNameTheBaseThatIsNotHere() {
    States states =
        new States()
            .image("upper", ImageKind.SNAPSHOT, Strategy.SPACE)
            .volume("upper", "lower", Stage.READY)
            .image("lower", ImageKind.SNAPSHOT, Strategy.SPACE)
            .volume("lower", "elsewhere", Stage.READY);
    assertThat(found(states.state()))
        .hasSize(2)
        .allSatisfy(problem -> {
          assertThat(problem.kind()).isEqualTo(Problem.Kind.MISSING_BASE);
          assertThat(problem.reason()).isEqualTo("its base elsewhere is missing");
          assertThat(problem.remedy()).contains("copy image elsewhere");
        });
  }

  @Test
  void waitForABaseThatIsBeingMadeIsNoProblem() {
    States states =
        new States()
            .image("upper", ImageKind.SNAPSHOT, Strategy.SPACE)
            .volume("upper", "lower", Stage.READY)
            .image("lower", ImageKind.SNAPSHOT, Strategy.SPACE)
            .volume("lower", null, Stage.INTENDED);
    assertThat(found(states.state())).isEmpty();
  }

  @Test
  void aFastDiskInUseHasToWait() {
    States states =
        new States()
            .image("base", ImageKind.SNAPSHOT, Strategy.SPACE)
            .volume("base", null, Stage.READY)
            .image("fast", ImageKind.VIRTUAL_DISK, Strategy.PERFORMANCE)
            .volume("fast", "base", Stage.READY)
            .open("open", "fast", "h1", null);
    assertThat(found(states.state()))
        .singleElement()
        .satisfies(problem -> {
          assertThat(problem.kind()).isEqualTo(Problem.Kind.IN_USE);
          assertThat(problem.imageId()).isEqualTo("fast");
          assertThat(problem.reason()).contains("until it is closed");
        });
  }

  private static List<Problem> found(RepositoryState state) {
    List<Problem> found = new ArrayList<>();
    WaitingImages.find(state, found);
    return found;
  }
}
