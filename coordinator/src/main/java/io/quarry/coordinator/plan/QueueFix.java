package io.quarry.coordinator.plan;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Somebody asks for a fix that {@code check} found.
 *
 * @param strayFile set when the fix is to remove a file that no volume names
 */
public record QueueFix(String fixId, @Nullable String strayFile) implements Request {
  public QueueFix {
    Checked.internal("fixId", fixId);
    if (strayFile != null) {
      Checked.file("strayFile", strayFile);
    }
  }

  @Override
  public String answeredWith() {
    return fixId;
  }

  @Override
  public Reply plan(Transaction draft) {
    if (strayFile != null && !FixState.strayId(strayFile).equals(fixId)) {
      throw PlanErrors.stale(fixId, "it is not about file " + strayFile);
    }
    String chainOf = ChainLength.imageOf(fixId);
    if (chainOf != null) {
      return flatten(draft, draft.state().strongImage(chainOf));
    }
    FixState fix = draft.state().fixes().get(fixId);
    if (fix == null && strayFile == null) {
      throw PlanErrors.stale(fixId, "it is done, or its image is gone");
    }
    if (fix == null && strayFile != null) {
      draft.add(new Change.PutFix(FixState.stray(strayFile, draft.now())));
    } else if (fix != null && (!fix.wanted() || fix.failures() > 0 || fix.lastError() != null)) {
      draft.add(new Change.PutFix(fix.asked(retainedUntil(draft, fix))));
    }
    return draft.reply(this, fixId);
  }

  /** Records the fix that a long chain needs, and asks for it. */
  private Reply flatten(Transaction draft, @Nullable Image top) {
    Image image = top == null ? null : ChainLength.toFlatten(draft.state(), top);
    if (image == null) {
      throw PlanErrors.stale(fixId, "its chain is short, or it is gone");
    }
    draft.settle(image.id());
    Volume better = draft.state().replacementOf(image.volumeId());
    FixState fix = better == null ? null : draft.state().fixes().get(FixState.makerId(better));
    if (fix == null) {
      throw PlanErrors.stale(fixId, "image " + image.id() + " is open for writing");
    }
    draft.add(new Change.PutFix(fix.asked(retainedUntil(draft, fix))));
    return draft.reply(this, fix.id());
  }

  /** A full storage is cleaned by whoever asks for it, too. */
  @Override
  public boolean freesSpace() {
    return FixState.frees(fixId);
  }

  /** Asking for a clean does not shorten the time in which a removal can be undone. */
  private static @Nullable Instant retainedUntil(Transaction draft, FixState fix) {
    Image image = draft.state().images().get(String.valueOf(fix.imageId()));
    return image != null && FixState.cleanId(image.volumeId()).equals(fix.id())
        ? draft.retainedUntil(image)
        : null;
  }
}
