package io.quarry.coordinator.plan;

import io.quarry.coordinator.plan.Volume.Witness;
import io.quarry.coordinator.plan.Volume.Writer;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The writer of a merge in place has stopped.
 *
 * @param baseVolumeId the volume that the writer wrote down into
 * @param witnesses of the files that are frozen from this commit on, by volume; null in logs
 *     without {@link Feature#WITNESSES}
 */
public record LeaveMergeInPlace(
    String baseVolumeId, Writer writer, @Nullable Map<String, Witness> witnesses)
    implements Request {
  public LeaveMergeInPlace {
    Checked.volume("baseVolumeId", baseVolumeId);
    Checked.writer(writer);
    Checked.witnesses(witnesses);
  }

  public LeaveMergeInPlace(String baseVolumeId, Writer writer) {
    this(baseVolumeId, writer, null);
  }

  @Override
  public Reply plan(Transaction transaction) {
    Volume base = transaction.state().volumes().get(baseVolumeId);
    if (base != null && writer.equals(base.writer())) {
      transaction.add(new Change.PutVolume(base.writtenBy(null)));
      transaction.witness(witnesses);
      transaction.settle(base.imageId());
    }
    return transaction.reply(this, baseVolumeId);
  }

  /** Without this commit no other worker can merge into the volume. */
  @Override
  public boolean freesSpace() {
    return true;
  }
}
