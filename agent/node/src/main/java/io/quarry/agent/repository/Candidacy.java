package io.quarry.agent.repository;

import io.quarry.coordinator.cluster.Election;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Whether this host stands in a repository's election: not while it is drained and another host is
 * ready, and not while it is unfit to lead.
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

  /** Begins to follow the election, and stands in it unless there is a reason not to. */
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

  /** True when it is news. */
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

  /** Whether it may lead when it is elected. */
  synchronized boolean stands() {
    return stands;
  }

  /** Hosts came or went, or this one was drained, or is not drained any more. */
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
