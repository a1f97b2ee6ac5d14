package io.quarry.agent.repository;

import io.quarry.coordinator.cluster.Election;
import io.quarry.coordinator.thread.Deadline;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether this host stands in a repository's election. A host does not stand while it is unfit to
 * lead. Neither does it stand while it is drained and another host is ready.
 */
final class Candidacy {
  private static final Logger LOG = LoggerFactory.getLogger(Candidacy.class);

  /** A host with more terms in a row that ended at once lets other hosts try. */
  private static final int SHORT_TERMS_MAX = 2;

  private static final Duration STAND_AGAIN = Duration.ofSeconds(3);

  private final String repoId;
  private final Election election;
  private final BooleanSupplier yields;

  private final AtomicInteger shortTerms = new AtomicInteger();

  // Guarded by this:
  private @Nullable String unfit;
  private boolean following;
  private boolean stands = true;

  /** A host that became unfit to lead stays out of the election until then. */
  private Deadline standAgain = Deadline.after(Duration.ZERO);

  /**
   * @param yields whether the host is drained and another host is ready
   */
  Candidacy(String repoId, Election election, BooleanSupplier yields) {
    this.repoId = repoId;
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

  /** The host was elected, or has committed. */
  void lasted() {
    shortTerms.set(0);
  }

  /** A term of this host has ended. */
  void ended(String reason, boolean pause) {
    if (shortTerms.incrementAndGet() > SHORT_TERMS_MAX) {
      leave(reason, pause);
    }
  }

  /**
   * The host is unfit to lead.
   *
   * @param pause whether the host stays out for a while even if the reason is gone
   */
  synchronized void leave(String reason, boolean pause) {
    if (pause) {
      standAgain = Deadline.after(STAND_AGAIN);
    }
    if (!reason.equals(unfit)) {
      LOG.warn("Leaving the election of {} for now: {}", repoId, reason);
    }
    unfit = reason;
    if (following && stands) {
      stands = false;
      election.standDown(reason);
    }
  }

  /** The reason to stay out of the election is gone. */
  synchronized void comeBack() {
    if (unfit != null && standAgain.passed()) {
      unfit = null;
      reconsider();
    }
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
