package io.quarry.coordinator.plan;

import io.quarry.common.model.FixType;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.pcollections.HashTreePMap;
import org.pcollections.PMap;
import org.pcollections.PSet;

/**
 * The outstanding fixes, with the wanted ones indexed by turn: a host finds its own fixes without a
 * search through all. Immutable.
 *
 * <p>The epochs of heavy fixes are here only in logs with {@link Feature#EXTENTS}.
 */
public final class Fixes {
  static final Fixes NONE = new Fixes(HashTreePMap.empty(), Index.EMPTY, Epochs.NONE);

  private static final String QUEUE = "queue";
  private static final String GRANT = "grant:";
  private static final String LATER = "later";
  private static final String HELD = "held:";

  private final PMap<String, FixState> all;
  private final Index turns;
  private final Epochs epochs;

  private Fixes(PMap<String, FixState> all, Index turns, Epochs epochs) {
    this.all = all;
    this.turns = turns;
    this.epochs = epochs;
  }

  PMap<String, FixState> all() {
    return all;
  }

  /** Claims and checkpoints of fixes, also of fixes that are done and not forgotten yet. */
  public Epochs epochs() {
    return epochs;
  }

  Fixes with(Epochs newEpochs) {
    return new Fixes(all, turns, newEpochs);
  }

  /** Wanted fixes that move data: hosts claim them, through the queue. */
  public PSet<String> toQueue() {
    return turns.of(QUEUE);
  }

  /** Wanted light fixes of that type that no host holds and that are due. */
  public PSet<String> toGrant(FixType type) {
    return turns.of(GRANT + type.label());
  }

  /** Wanted light fixes that no host holds, and that are due at a later time. */
  public PSet<String> later() {
    return turns.of(LATER);
  }

  /** Light fixes that this life of a host holds. */
  public PSet<String> heldBy(String incarnation) {
    return turns.of(HELD + incarnation);
  }

  /** All incarnations that hold light fixes. */
  public Set<String> holders() {
    return turns.ids().keySet().stream()
        .filter(turn -> turn.startsWith(HELD))
        .map(turn -> turn.substring(HELD.length()))
        .collect(Collectors.toUnmodifiableSet());
  }

  Fixes plus(FixState fix) {
    Index newTurns = without(fix.id()).plus(turnOf(fix), fix.id());
    return new Fixes(all.plus(fix.id(), fix), newTurns, epochs);
  }

  Fixes minus(String id) {
    return new Fixes(all.minus(id), without(id), epochs);
  }

  private Index without(String id) {
    FixState old = all.get(id);
    return old == null ? turns : turns.minus(turnOf(old), id);
  }

  private static @Nullable String turnOf(FixState fix) {
    if (!fix.runnable()) {
      return null;
    }
    if (fix.heavy()) {
      return QUEUE;
    }
    if (fix.worker() != null) {
      return HELD + fix.worker().incarnation();
    }
    return fix.retryAt() == null ? GRANT + fix.type().label() : LATER;
  }
}
