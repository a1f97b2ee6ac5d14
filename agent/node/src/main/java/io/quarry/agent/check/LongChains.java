package io.quarry.agent.check;

import io.quarry.common.api.Problem;
import io.quarry.common.model.Limits;
import io.quarry.coordinator.plan.ChainLength;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Finds images whose chain has too many layers. Only the topmost image of a chain is named. */
final class LongChains {
  private LongChains() {}

  static void find(RepositoryState state, List<Problem> found) {
    for (Image top : tops(state)) {
      int layers = ChainLength.of(state, top);
      if (layers > Limits.CHAIN_LAYERS_MAX) {
        found.add(
            new Problem(
                Problem.Kind.LONG_CHAIN,
                top.id(),
                top.id(),
                "it is read through "
                    + layers
                    + " layers; nothing can be made over it, and above "
                    + Limits.CHAIN_LAYERS_OPEN_MAX
                    + " layers it cannot be opened",
                "run the optimize fixes of the images below it"));
      }
    }
  }

  /**
   * Images that need a volume of their own and have no fix for that yet, by the top of their chain.
   */
  static Map<Image, Image> unattended(RepositoryState state) {
    Map<Image, Image> byImage = new LinkedHashMap<>();
    for (Image top : tops(state)) {
      Image image = ChainLength.toFlatten(state, top);
      if (image != null
          && state.replacementOf(image.volumeId()) == null
          && state.writerOf(image.id()) == null) {
        byImage.putIfAbsent(image, top);
      }
    }
    Map<Image, Image> byTop = new LinkedHashMap<>();
    byImage.forEach((image, top) -> byTop.put(top, image));
    return byTop;
  }

  private static List<Image> tops(RepositoryState state) {
    List<Image> tops = new ArrayList<>();
    for (Image image : state.images().values()) {
      boolean whole = state.volumeOf(image).stage() == Volume.Stage.READY;
      if (image.visible() && whole && state.overlaysOf(image.id()).isEmpty()) {
        tops.add(image);
      }
    }
    return tops;
  }
}
