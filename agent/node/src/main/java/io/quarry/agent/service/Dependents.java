package io.quarry.agent.service;

import io.quarry.common.api.ImageExplanation.Need;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.Pin;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The reasons to keep an image's data: overlays over the image, copies from it, and opens. An open
 * also counts when one of its files is still read through the image.
 */
final class Dependents {
  private final RepositoryState state;
  private final RepositoryNames names;

  Dependents(RepositoryState state, RepositoryNames names) {
    this.state = state;
    this.names = names;
  }

  List<Need> of(Image image) {
    List<Need> needs = new ArrayList<>();
    Map<String, Open> opens = new LinkedHashMap<>();
    for (String id : state.overlaysOf(image.id()).stream().sorted().toList()) {
      Volume overlay = Objects.requireNonNull(state.volumes().get(id));
      if (isFormer(overlay)) {
        // The upper image has another volume by now; this image waits for opens of the former one.
        state.opensUsing(id).stream().sorted().forEach(open -> opens.put(open, open(open)));
      } else {
        needs.add(new Need("overlay", overlay.imageId(), null, null, null, null));
      }
    }
    for (String id : state.pinsOf(image.id()).stream().sorted().toList()) {
      Pin pin = Objects.requireNonNull(state.pins().get(id));
      String repoId = names.of(pin.targetKey());
      needs.add(new Need("pin", id, pin.targetImageId(), null, null, repoId));
    }
    state.opensOf(image.id()).stream().sorted().forEach(open -> opens.put(open, open(open)));
    for (Open open : opens.values()) {
      String other = open.imageId().equals(image.id()) ? null : open.imageId();
      needs.add(new Need("open", open.id(), other, open.hostId(), open.owner(), null));
    }
    return needs;
  }

  private Open open(String id) {
    return Objects.requireNonNull(state.opens().get(id));
  }

  /** Whether a volume is kept only for the opens that use it. */
  private boolean isFormer(Volume volume) {
    Image image = state.images().get(volume.imageId());
    return volume.stage() == Volume.Stage.READY
        && (image == null || !image.volumeId().equals(volume.id()))
        && !state.opensUsing(volume.id()).isEmpty();
  }

  /** The opens that keep former volumes of the image, one sentence each. */
  List<String> formerVolumes(Image image) {
    return state.opens().values().stream()
        .sorted(Comparator.comparing(Open::id))
        .filter(open ->
            open.volumes().stream()
                .map(state.volumes()::get)
                .anyMatch(volume ->
                    volume != null && volume.imageId().equals(image.id()) && isFormer(volume)))
        .map(open ->
            "Its former volume is kept until "
                + user(open.owner())
                + " closes image "
                + open.imageId()
                + " on "
                + open.hostId()
                + ".")
        .toList();
  }

  /** Names the first need. */
  static String sentence(List<Need> needs) {
    Need first = needs.getFirst();
    String what =
        switch (first.type()) {
          case "overlay" -> "image " + first.id() + " is an overlay of it";
          case "pin" ->
              "image "
                  + first.imageId()
                  + " of "
                  + (first.repoId() == null
                      ? "a repository that no live host reaches"
                      : "repository " + first.repoId())
                  + " needs it";
          default ->
              user(first.owner())
                  + " has "
                  + (first.imageId() == null ? "it" : "image " + first.imageId() + " over it")
                  + " open on "
                  + first.hostId();
        };
    int others = needs.size() - 1;
    return what + (others == 0 ? "" : ", and for " + others + " more reasons");
  }

  private static String user(@Nullable String owner) {
    return owner == null ? "an unnamed user" : owner;
  }
}
