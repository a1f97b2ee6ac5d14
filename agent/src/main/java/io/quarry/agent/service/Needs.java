package io.quarry.agent.service;

import io.quarry.common.api.ImageExplanation.Need;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.Pin;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** What keeps an image's data: overlays over it, copies from it, and whoever has it open. */
final class Needs {
  private Needs() {}

  static List<Need> of(Image image, RepositoryState state) {
    List<Need> needs = new ArrayList<>();
    for (String id : state.overlaysOf(image.id()).stream().sorted().toList()) {
      Volume overlay = Objects.requireNonNull(state.volumes().get(id));
      needs.add(new Need("overlay", overlay.imageId(), null, null, null));
    }
    for (String id : state.pinsOf(image.id()).stream().sorted().toList()) {
      Pin pin = Objects.requireNonNull(state.pins().get(id));
      needs.add(new Need("pin", id, pin.targetImageId(), null, null));
    }
    for (String id : state.opensOf(image.id()).stream().sorted().toList()) {
      Open open = Objects.requireNonNull(state.opens().get(id));
      needs.add(new Need("open", id, null, open.hostId(), open.owner()));
    }
    return needs;
  }

  /** Names the first one. */
  static String sentence(List<Need> needs) {
    Need first = needs.getFirst();
    String what =
        switch (first.type()) {
          case "overlay" -> "image " + first.id() + " is an overlay of it";
          case "pin" -> "image " + first.imageId() + " of another repository needs it";
          default ->
              (first.owner() == null ? "somebody" : first.owner())
                  + " has it open on "
                  + first.hostId();
        };
    int others = needs.size() - 1;
    return what + (others == 0 ? "" : ", and for " + others + " more reasons");
  }
}
