package io.quarry.coordinator.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.pcollections.HashTreePMap;
import org.pcollections.PMap;
import org.pcollections.TreePMap;

/**
 * The claims and checkpoints of heavy fixes, by fix and epoch. Immutable. Each update keeps two
 * rules: an epoch stays with the call that claimed it first, and no epoch comes back.
 */
public final class Epochs {
  static final Epochs NONE = new Epochs(HashTreePMap.empty(), 0);

  private final PMap<String, TreePMap<Long, Epoch>> byFix;
  private final long bytes;

  private Epochs(PMap<String, TreePMap<Long, Epoch>> byFix, long bytes) {
    this.byFix = byFix;
    this.bytes = bytes;
  }

  /** The estimated memory. */
  long bytes() {
    return bytes;
  }

  /** The fixes with claims. */
  public Set<String> fixes() {
    return byFix.keySet();
  }

  /** The claim of that epoch, or null. */
  public @Nullable Epoch of(String fixId, long epoch) {
    return of(fixId).get(epoch);
  }

  /** The claim of the highest epoch, or null. */
  public @Nullable Epoch newest(String fixId) {
    TreePMap<Long, Epoch> epochs = of(fixId);
    return epochs.isEmpty() ? null : epochs.get(epochs.lastKey());
  }

  /** The claim of the lowest epoch that is left, or null. */
  @Nullable Epoch oldest(String fixId) {
    TreePMap<Long, Epoch> epochs = of(fixId);
    return epochs.isEmpty() ? null : epochs.get(epochs.firstKey());
  }

  /** The highest epoch with a checkpoint, or null. */
  public @Nullable Epoch newestWithCheckpoint(String fixId) {
    for (Epoch epoch : of(fixId).descendingMap().values()) {
      if (epoch.checkpoint() != null) {
        return epoch;
      }
    }
    return null;
  }

  private TreePMap<Long, Epoch> of(String fixId) {
    TreePMap<Long, Epoch> found = byFix.get(fixId);
    return found == null ? TreePMap.empty() : found;
  }

  Epochs plus(Epoch epoch) {
    TreePMap<Long, Epoch> known = of(epoch.fixId());
    Epoch before = known.get(epoch.epoch());
    if (before != null && !before.isOf(epoch.worker(), epoch.claimId())) {
      throw new IllegalStateException(before + " cannot become " + epoch);
    }
    if (before == null && !known.isEmpty() && epoch.epoch() < known.lastKey()) {
      throw new IllegalStateException(epoch + " comes after epoch " + known.lastKey());
    }
    return new Epochs(
        byFix.plus(epoch.fixId(), known.plus(epoch.epoch(), epoch)),
        bytes + StateSize.growth(before, epoch));
  }

  /** Without the epochs of the fix up to that one. */
  Epochs minus(String fixId, long upTo) {
    long growth = 0;
    for (Epoch epoch : of(fixId).headMap(upTo, true).values()) {
      growth += StateSize.growth(epoch, null);
    }
    TreePMap<Long, Epoch> kept = of(fixId).tailMap(upTo, false);
    return new Epochs(
        kept.isEmpty() ? byFix.minus(fixId) : byFix.plus(fixId, kept), bytes + growth);
  }

  /** The changes that make these epochs out of none. */
  List<Change> asChanges() {
    List<Change> all = new ArrayList<>();
    byFix
        .values()
        .forEach(epochs -> epochs.values().forEach(each -> all.add(new Change.PutEpoch(each))));
    return all;
  }
}
