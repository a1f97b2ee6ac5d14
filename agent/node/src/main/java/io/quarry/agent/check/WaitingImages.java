package io.quarry.agent.check;

import io.quarry.common.api.Problem;
import io.quarry.coordinator.plan.Condition;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Finds images that are not as they should be, and that no fix can help here and now. */
final class WaitingImages {
  private WaitingImages() {}

  static void find(RepositoryState state, List<Problem> found) {
    for (Image image : state.images().values()) {
      Condition condition = image.visible() ? Condition.of(state, image) : null;
      if (condition == null || state.fixOf(image) != null) {
        continue;
      }
      String base = state.isWhole(image) ? null : absentBaseOf(image, state);
      if (base != null) {
        found.add(
            new Problem(
                Problem.Kind.MISSING_BASE,
                image.id(),
                image.id(),
                condition.text(),
                "copy image " + base + " into this repository, if the difference is to be used"));
      } else if (state.isWhole(image)) {
        found.add(
            new Problem(
                Problem.Kind.IN_USE,
                image.id(),
                image.id(),
                condition.text() + "; " + Condition.UNTIL_CLOSED,
                "close it when its machine is shut down"));
      }
    }
  }

  /**
   * The first image below that this repository lacks; null when it has all of them, whole or not.
   */
  private static @Nullable String absentBaseOf(Image image, RepositoryState state) {
    List<Image> chain = state.chainOf(image);
    Volume lowest = state.volumeOf(chain.getLast());
    return lowest.parentImageId();
  }
}
