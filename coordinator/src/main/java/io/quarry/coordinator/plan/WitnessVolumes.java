package io.quarry.coordinator.plan;

import io.quarry.coordinator.plan.Volume.Witness;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A host has looked at frozen files that the log has no witness of. Their volumes come from older
 * agents, or no host could look at them before. A witness says nothing about the time before the
 * look.
 */
public record WitnessVolumes(List<Seen> seen) implements Request {
  /** The most volumes of one record. */
  public static final int VOLUMES_MAX = 1_000;

  /**
   * @param imageId the volume's owner when the host looked: the owner changes when a merge begins
   *     to write to the file
   */
  public record Seen(String volumeId, String imageId, Witness witness) {}

  public WitnessVolumes(@Nullable List<Seen> seen) {
    this.seen = Checked.list("seen", seen);
    this.seen.forEach(each -> {
      Checked.volume("volumeId", each.volumeId());
      Checked.name("imageId", each.imageId());
      Checked.witness(each.witness());
    });
  }

  @Override
  public Reply plan(Transaction transaction) {
    Map<String, Witness> witnesses = new HashMap<>();
    for (Seen each : seen) {
      Volume volume = transaction.state().volumes().get(each.volumeId());
      if (volume != null && volume.imageId().equals(each.imageId())) {
        witnesses.put(each.volumeId(), each.witness());
      }
    }
    transaction.witness(witnesses);
    return transaction.reply(this, "volumes");
  }
}
