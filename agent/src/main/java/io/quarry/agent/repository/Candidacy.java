package io.quarry.agent.repository;

import io.quarry.coordinator.cluster.Election;
import java.util.function.BooleanSupplier;

/**
 * Whether this host stands in a repository's election: not while it is drained and another host is
 * ready, and not while its terms end at once.
 */
final class Candidacy {
  private final Election election;
  private final BooleanSupplier yields;

  // Guarded by this:
  private boolean sick;
  private boolean following;
  private boolean stands = true;

  /**
   * @param yields whether the host is drained and another one is ready
   */
  Candidacy(Election election, BooleanSupplier yields) {
    this.election = election;
    this.yields = yields;
  }

  /** Begins to follow the election, without ever standing in it when the log is damaged. */
  synchronized void start(boolean damaged) {
    sick = damaged;
    following = true;
    if (damaged || yields.getAsBoolean()) {
      stands = false;
      election.follow();
    } else {
      election.start();
    }
  }

  synchronized void sick(String reason) {
    sick = true;
    if (stands) {
      stands = false;
      election.standDown(reason);
    }
  }

  synchronized void sound() {
    sick = false;
    reconsider();
  }

  /** Hosts came or went, or this one was drained, or is not drained any more. */
  synchronized void reconsider() {
    boolean should = !sick && !yields.getAsBoolean();
    if (!following || should == stands) {
      return;
    }
    stands = should;
    if (should) {
      election.stand();
    } else if (!sick) {
      election.standDown("this host is drained");
    }
  }
}
