package io.quarry.coordinator.plan;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The volumes that exist for one image alone. */
public final class Exclusive {
  private Exclusive() {}

  /**
   * The volumes that removing and cleaning the image would free: no other visible image needs them.
   * Pins and opens only delay the cleaning, and do not count.
   */
  public static List<Volume> volumes(RepositoryState state, Image image) {
    List<Volume> all = new ArrayList<>();
    MergeRules rules = new MergeRules(state);
    @Nullable Image each = image;
    String above = "";
    while (each != null
        && (above.isEmpty() || !each.visible())
        && !holdsUp(state, rules, each, above)) {
      Volume volume = state.volumeOf(each);
      all.add(volume);
      Volume replacement = state.replacementOf(volume.id());
      if (replacement != null) {
        all.add(replacement);
      }
      above = each.id();
      each = rules.parentOf(each);
    }
    return all;
  }

  /**
   * Whether a visible image is an overlay of the base, directly or not, other than through {@code
   * overlay}.
   */
  private static boolean holdsUp(
      RepositoryState state, MergeRules rules, Image base, String overlay) {
    Deque<String> open = new ArrayDeque<>(List.of(base.id()));
    while (!open.isEmpty()) {
      for (String volumeId : state.overlaysOf(open.pop())) {
        Image over = rules.ownerOf(volumeId);
        if (over == null || over.id().equals(overlay)) {
          continue;
        }
        if (over.visible()) {
          return true;
        }
        open.push(over.id());
      }
    }
    return false;
  }
}
