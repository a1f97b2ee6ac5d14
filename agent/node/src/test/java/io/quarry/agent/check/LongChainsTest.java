package io.quarry.agent.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.api.Problem;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Limits;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume.Stage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Case 12.21: check did not report a chain of hundreds of layers. */
final class LongChainsTest {
  private static States chain(int layers) {
    States states = new States();
    for (int i = 1; i <= layers; i++) {
      states
          .image("s" + i, ImageKind.SNAPSHOT, Strategy.SPACE)
          .volume("s" + i, i == 1 ? null : "s" + (i - 1), Stage.READY);
    }
    return states;
  }

  private static List<Problem> found(RepositoryState state) {
    List<Problem> found = new ArrayList<>();
    LongChains.find(state, found);
    return found;
  }

  @Test
  void topOfAChainAboveTheLimitIsNamed() {
    int layers = Limits.CHAIN_LAYERS_MAX + 1;
    assertThat(found(chain(layers).state()))
        .singleElement()
        .satisfies(problem -> {
          assertThat(problem.kind()).isEqualTo(Problem.Kind.LONG_CHAIN);
          assertThat(problem.imageId()).isEqualTo("s" + layers);
          assertThat(problem.reason()).contains(layers + " layers");
        });
    assertThat(found(chain(Limits.CHAIN_LAYERS_MAX).state())).isEmpty();
  }

  @Test
  void oneFixIsOfferedForAllThatAreOverOneLongChain() {
    RepositoryState state =
        chain(300)
            .image("other", ImageKind.SNAPSHOT, Strategy.SPACE)
            .volume("other", "s299", Stage.READY)
            .state();
    String lowest = "s" + (Limits.CHAIN_LAYERS_FLATTEN + 1);
    Map<Image, Image> unattended = LongChains.unattended(state);
    assertThat(unattended.values()).extracting(Image::id).containsExactly(lowest);
    assertThat(LongChains.unattended(chain(Limits.CHAIN_LAYERS_FLATTEN).state())).isEmpty();
  }
}
