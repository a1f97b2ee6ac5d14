package io.quarry.agent.repository;

import io.quarry.coordinator.cluster.Election;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Whether this host stands in a repository's election. A host does not stand while it is unfit to
 * lead. Neither does it stand while it is drained and another host is ready.
 */
final class Candidacy {
  private final Election election;
  private final BooleanSupplier yields;

  // Guarded by this:
  private @Nullable String unfit;
  private boolean following;
  private boolean stands = true;

  /**
   * @param yields whether the host is drained and another one is ready
   */
  Candidacy(Election election, BooleanSupplier yields) {
    this.election = election;
    this.yields = yields;
  }

  /** Begins to follow the election, and stands in the election unless there is a reason not to. */
  synchronized void start(@Nullable String whyUnfit) {
    unfit = whyUnfit;
    following = true;
    if (whyUnfit != null || yields.getAsBoolean()) {
      stands = false;
      election.follow();
    } else {
      election.start();
    }
  }

  /** True when the reason is new. */
  synchronized boolean unfit(String reason) {
    boolean news = !reason.equals(unfit);
    unfit = reason;
    if (following && stands) {
      stands = false;
      election.standDown(reason);
    }
    return news;
  }

  synchronized void fit() {
    unfit = null;
    reconsider();
  }

  /** Why this host must not lead, or null. */
  synchronized @Nullable String whyUnfit() {
    return unfit;
  }

  /** Whether this host may lead when it is elected. */
  synchronized boolean stands() {
    return stands;
  }

  /** Reacts to hosts that come or go, and to a drain that begins or ends. */
  synchronized void reconsider() {
    boolean should = unfit == null && !yields.getAsBoolean();
    if (!following || should == stands) {
      return;
    }
    stands = should;
    if (should) {
      election.stand();
    } else if (unfit == null) {
      election.standDown("this host is drained");
    }
  }
}
