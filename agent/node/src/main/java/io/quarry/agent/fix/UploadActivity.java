package io.quarry.agent.fix;

import io.quarry.agent.storage.Checkpoint;
import io.quarry.agent.storage.Claim;
import io.quarry.agent.storage.WorkStore;
import io.quarry.common.model.FixType;
import io.quarry.coordinator.plan.Open;
import java.io.IOException;
import java.time.Instant;

/**
 * The claims and checkpoints that an upload leaves on the storage, under the name of the fix that
 * would fill the volume.
 */
public final class UploadActivity {
  private UploadActivity() {}

  /**
   * The name under which the upload's claims and checkpoints are kept; the clean of the volume
   * knows the name.
   */
  public static String fixId(Open upload) {
    return FixType.OPTIMIZE.label() + "-" + upload.fills();
  }

  /** When an agent last took the upload, received a range of it, or converted a part. */
  public static Instant last(WorkStore store, Open upload) throws IOException {
    Claim claim = store.newestClaim(fixId(upload));
    Checkpoint checkpoint = store.newestCheckpoint(fixId(upload));
    Instant last = upload.since();
    if (claim != null && claim.since().isAfter(last)) {
      last = claim.since();
    }
    if (checkpoint != null && checkpoint.updatedAt().isAfter(last)) {
      last = checkpoint.updatedAt();
    }
    return last;
  }
}
