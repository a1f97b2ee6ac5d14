package io.quarry.agent.repository;

import io.quarry.coordinator.log.LogUnreadableException;
import io.quarry.coordinator.log.Replica;
import io.quarry.coordinator.sdm.Sdm;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Whether this host may work on a repository, and lead it, at this moment. */
final class Fitness {
  /** A commit that takes so long means that the storage hangs: another host is to lead. */
  private static final Duration STUCK = Duration.ofSeconds(12);

  private final Replica replica;
  private final Sdm sdm;
  private final StorageMonitor pulse;
  private final StorageIdentity identity;
  private final HostClock clock;

  Fitness(
      Replica replica, Sdm sdm, StorageMonitor pulse, StorageIdentity identity, HostClock clock) {
    this.replica = replica;
    this.sdm = sdm;
    this.pulse = pulse;
    this.identity = identity;
    this.clock = clock;
  }

  /** Whether the storage works, and is the storage that the SDM writes to. */
  boolean workable() {
    return pulse.responsive()
        && pulse.fault() == null
        && identity.difference() == null
        && replica.unreadable() == null;
  }

  /** Whether the storage has been silent for so long that other hosts are to do the work. */
  boolean givenUp() {
    return pulse.silence().compareTo(StorageMonitor.GIVE_UP) > 0;
  }

  /** Why this host must not lead, or null. */
  @Nullable String whyUnfit() {
    LogUnreadableException unreadable = replica.unreadable();
    if (unreadable != null) {
      return "its log cannot be read: " + unreadable.getMessage();
    }
    if (givenUp() || sdm.silence().compareTo(STUCK) > 0) {
      return "its storage does not answer";
    }
    String difference = identity.difference();
    if (difference != null) {
      return "its storage is another one: " + difference;
    }
    IOException fault = pulse.fault();
    return fault == null ? clock.whyUnfit() : "its storage fails: " + fault.getMessage();
  }
}
