package io.quarry.coordinator.plan;

import io.quarry.coordinator.plan.Volume.Writer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A worker is about to write the layers above a hidden image down into that image's volume. From
 * this commit on the merged images are internal: they lose the ids that callers know. So no new
 * image can refer to content that they lose.
 *
 * <p>One run of a fix writes to the volume. Another run may, on the same host too, once the first
 * run has said that it stopped, or is proven to be over. Until then a merge writes a new volume.
 *
 * @param volumeId the volume that a merge would otherwise make
 * @param baseVolumeId the volume that the worker has chosen to write down into
 * @param over the writer before, if the worker has proof that this writer writes no more
 */
public record BeginMergeInPlace(
    String volumeId, String baseVolumeId, Writer writer, @Nullable Writer over) implements Request {
  public BeginMergeInPlace {
    Checked.volume("volumeId", volumeId);
    Checked.volume("baseVolumeId", baseVolumeId);
    Checked.writer(writer);
    if (over != null) {
      Checked.writer(over);
    }
  }

  @Override
  public Reply plan(Transaction transaction) {
    String fixId = writer.fixId();
    Volume better = Replacement.begun(transaction.state(), fixId, volumeId);
    InPlace place = InPlace.of(transaction.state(), better, transaction.now());
    if (place == null || !place.base().id().equals(baseVolumeId)) {
      throw PlanErrors.stale(fixId, "volume " + baseVolumeId + " cannot be written down into now");
    }
    Writer before = place.base().writer();
    if (before != null && !before.equals(over)) {
      throw PlanErrors.stale(fixId, "host " + before.worker().hostId() + " may still be writing");
    }
    boolean renamed = before != null && before.fixId().equals(fixId);
    if (!renamed) {
      place
          .below()
          .forEach(hidden -> transaction.rename(hidden, internalId(hidden, transaction.commit())));
    }
    Volume base = Objects.requireNonNull(transaction.state().volumes().get(baseVolumeId));
    transaction.add(new Change.PutVolume(base.writtenBy(writer)));
    return transaction.reply(this, baseVolumeId);
  }

  private static String internalId(Image hidden, long commit) {
    String name = hidden.id() + "/" + commit;
    return UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)).toString();
  }
}
