package io.quarry.agent.repository;

import io.quarry.coordinator.cluster.HostRegistry;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Whether this host's clock may be trusted. The SDM stamps records, and decides by its own clock
 * whether removed images are still retained. A host two hours ahead would empty the trash.
 */
public final class HostClock {
  /** A clock that is wrong by more is reported. */
  public static final Duration WARN = Duration.ofSeconds(2);

  /** A host whose clock is wrong by more must not lead. */
  static final Duration LEAD_MAX = Duration.ofMinutes(1);

  private final HostRegistry hosts;

  public HostClock(HostRegistry hosts) {
    this.hosts = hosts;
  }

  /** What is wrong with the clock, or null. */
  public @Nullable String fault() {
    return doubtful()
        ? "its clock and ZooKeeper's differ by more than a minute, and no other host can tell which"
            + " is wrong; the trash is kept until they agree; set the wrong one"
        : fault(hosts.clockAhead(), WARN);
  }

  /** Why this host must not lead, or null. */
  @Nullable String whyUnfit() {
    return pending() ? "its clock has not been compared yet" : fault(hosts.clockAhead(), LEAD_MAX);
  }

  boolean pending() {
    return hosts.clockPending();
  }

  /**
   * Whether only ZooKeeper's clock is there to compare with, and it shows another time. This host
   * cannot tell which clock is wrong. So this host may lead, but removes no image from the trash
   * for good.
   */
  boolean doubtful() {
    return hosts
        .clockAlone()
        .filter(own -> Math.abs(own.aheadMillis()) - own.errorMillis() > LEAD_MAX.toMillis())
        .isPresent();
  }

  static @Nullable String fault(Duration ahead, Duration limit) {
    if (ahead.abs().compareTo(limit) <= 0) {
      return null;
    }
    return "its clock is %.1f s %s the other hosts' clocks; set it"
        .formatted(ahead.abs().toMillis() / 1e3, ahead.isNegative() ? "behind" : "ahead of");
  }
}
