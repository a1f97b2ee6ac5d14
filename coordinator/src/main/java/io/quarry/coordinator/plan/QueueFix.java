package io.quarry.coordinator.plan;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A caller asks for a fix that {@code check} found.
 *
 * @param orphanFile set when the fix is to remove a file that no volume names
 */
public record QueueFix(String fixId, @JsonProperty("strayFile") @Nullable String orphanFile)
    implements Request {
  public QueueFix {
    Checked.internal("fixId", fixId);
    if (orphanFile != null) {
      Checked.file("strayFile", orphanFile);
    }
  }

  @Override
  public String answeredWith() {
    return fixId;
  }

  @Override
  public Reply plan(Transaction transaction) {
    if (orphanFile != null && !FixState.orphanId(orphanFile).equals(fixId)) {
      throw PlanErrors.stale(fixId, "it is not about file " + orphanFile);
    }
    String chainOf = ChainLength.imageOf(fixId);
    if (chainOf != null) {
      return flatten(transaction, transaction.state().visibleImage(chainOf));
    }
    FixState fix = transaction.state().fixes().get(fixId);
    if (fix == null && orphanFile == null) {
      throw PlanErrors.stale(fixId, "it is done, or its image is gone");
    }
    if (fix == null && orphanFile != null) {
      transaction.add(new Change.PutFix(FixState.orphan(orphanFile, transaction.now())));
    } else if (fix != null && (!fix.wanted() || fix.failures() > 0 || fix.lastError() != null)) {
      transaction.add(new Change.PutFix(fix.asked(retainedUntil(transaction, fix))));
    }
    return transaction.reply(this, fixId);
  }

  /** Records the fix for a long chain, and requests it. */
  private Reply flatten(Transaction transaction, @Nullable Image top) {
    Image image = top == null ? null : ChainLength.toFlatten(transaction.state(), top);
    if (image == null) {
      throw PlanErrors.stale(fixId, "its chain is short, or it is gone");
    }
    transaction.settle(image.id());
    Volume better = transaction.state().replacementOf(image.volumeId());
    FixState fix =
        better == null ? null : transaction.state().fixes().get(FixState.makerId(better));
    if (fix == null) {
      throw PlanErrors.stale(fixId, "image " + image.id() + " is open for writing");
    }
    transaction.add(new Change.PutFix(fix.asked(retainedUntil(transaction, fix))));
    return transaction.reply(this, fix.id());
  }

  /** A caller may ask for a clean on a full storage, too. */
  @Override
  public boolean freesSpace() {
    return FixState.frees(fixId);
  }

  /** A request for a clean does not shorten the retention of a removed image. */
  private static @Nullable Instant retainedUntil(Transaction transaction, FixState fix) {
    Image image = transaction.state().images().get(String.valueOf(fix.imageId()));
    return image != null && FixState.cleanId(image.volumeId()).equals(fix.id())
        ? transaction.retainedUntil(image)
        : null;
  }
}
