package io.quarry.agent.fix;

import io.quarry.agent.repository.Repository;
import io.quarry.coordinator.plan.FixState;
import java.io.IOException;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Remembers how the grants ended that this life of the host has begun with, until the logs say that
 * the grants are over. A replica of a log can lag: a fix that ended a moment ago still looks
 * granted.
 */
final class GrantLedger {
  private static final Logger LOG = LoggerFactory.getLogger(GrantLedger.class);

  private final Backoff pauses;
  private final Map<String, Begun> begun = new ConcurrentHashMap<>();

  private record Begun(long epoch, boolean inTrouble) {}

  /**
   * @param pauses of fixes that had trouble
   */
  GrantLedger(Backoff pauses) {
    this.pauses = pauses;
  }

  static String key(Repository repository, String fixId) {
    return repository.key() + "/" + fixId;
  }

  /**
   * Whether to begin with the fix now. A caller that gets true must call {@link #end}. One thread
   * at a time may call.
   */
  boolean begin(Repository repository, FixState fix) {
    String key = key(repository, fix.id());
    Begun before = begun.get(key);
    boolean due =
        before == null
            || before.epoch() != fix.epoch()
            || (before.inTrouble() && !pauses.pausing(key));
    if (due) {
      begun.put(key, new Begun(fix.epoch(), false));
    }
    return due;
  }

  /**
   * Whether to begin with the fix again after a pause.
   *
   * @param troubled whether the fix is not done, and may still be this host's
   */
  boolean end(Repository repository, FixState fix, boolean troubled) {
    String key = key(repository, fix.id());
    boolean again = troubled || isStillGranted(repository, fix);
    if (again) {
      pauses.trouble(key);
      begun.put(key, new Begun(fix.epoch(), true));
    } else {
      begun.remove(key, new Begun(fix.epoch(), false));
    }
    return again;
  }

  /**
   * Whether a fix that had trouble turns out to be over. Its commit may have landed on a slow
   * storage, and this host's replica may lag. A fix without trouble is not looked up.
   */
  boolean isOverAfterTrouble(Repository repository, FixState fix) {
    return pauses.troubled(key(repository, fix.id())) && !isStillGranted(repository, fix);
  }

  /** Forgets fixes that this host does not hold any more. */
  void retain(Set<String> held) {
    begun
        .keySet()
        .removeIf(key -> {
          boolean over = !held.contains(key);
          if (over) {
            pauses.forget(key);
          }
          return over;
        });
  }

  /**
   * Whether the log, as far as it goes now, does not know that this grant is over, or cannot be
   * read. Once the log knows, a grant of the same name and epoch is a new one. For example, an
   * image that was restored and removed again is cleaned from the first epoch on. This host may
   * have seen no state in between.
   */
  private static boolean isStillGranted(Repository repository, FixState fix) {
    try {
      // Mostly the replica knows the commit that ended the grant already, and nothing is read.
      return fix.equals(repository.state().repository().fixes().get(fix.id()))
          && fix.equals(repository.refresh().repository().fixes().get(fix.id()));
    } catch (IOException | RuntimeException e) {
      LOG.debug("The log of {} cannot be read now", repository.repoId(), e);
      return true;
    }
  }
}
