package io.quarry.agent.check;

import io.quarry.common.api.OpenInfo;
import io.quarry.common.api.OpenInfo.State;
import io.quarry.common.api.OpenInfo.Use;
import io.quarry.coordinator.cluster.Booted;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.plan.HostBoot;
import io.quarry.coordinator.plan.Open;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Judges whether the user of an open may be gone. The list of opens, the check and the calls that
 * end opens use the same judgement.
 */
public final class OpenReview {
  /** Check reports an upload that was idle for this time, or for half of its time-out. */
  private static final Duration IDLE_NAMED = Duration.ofHours(1);

  private final Supplier<List<HostRecord>> hosts;
  private final Duration idleTimeout;
  private final InstantSource clock;

  /**
   * @param hosts the live hosts; an empty list means that ZooKeeper has not listed them yet
   * @param idleTimeout after which an upload ends that receives no range
   */
  public OpenReview(Supplier<List<HostRecord>> hosts, Duration idleTimeout, InstantSource clock) {
    this.hosts = hosts;
    this.idleTimeout = idleTimeout;
    this.clock = clock;
  }

  public Duration idleTimeout() {
    return idleTimeout;
  }

  public static Use use(Open open) {
    if (open.fills() != null) {
      return Use.UPLOAD;
    }
    return open.incarnation() == null ? Use.MACHINE : Use.DOWNLOAD;
  }

  /** The state of a use on a host. An upload belongs to its caller, whatever happens to hosts. */
  public State of(Open open) {
    List<HostRecord> live = hosts.get();
    if (live.isEmpty() || open.fills() != null) {
      return State.IN_USE;
    }
    // The older one of two records is about to vanish: a previous life left it behind.
    return live.stream()
        .filter(host -> host.hostId().equals(open.hostId()))
        .max(Comparator.comparing(HostRecord::startedAt))
        .map(host -> onLive(host.booted(), open))
        .orElse(State.HOST_ABSENT);
  }

  private static State onLive(@Nullable Booted now, Open open) {
    HostBoot then = open.boot();
    if (now == null || open.incarnation() != null) {
      return State.IN_USE;
    }
    if (then == null) {
      return open.since().isBefore(now.at()) ? State.OLDER_THAN_BOOT : State.IN_USE;
    }
    if (!then.hostKey().equals(now.boot().hostKey())) {
      return State.HOST_DIFFERS;
    }
    return now.boot().ends(then) ? State.HOST_REBOOTED : State.IN_USE;
  }

  /** How long an upload that was last active at that time may still wait. */
  public OpenInfo.Upload upload(Instant activeAt) {
    return new OpenInfo.Upload(activeAt, idleTimeout, activeAt.plus(idleTimeout));
  }

  public State of(OpenInfo.Upload upload) {
    Duration half = idleTimeout.dividedBy(2);
    Duration named = half.compareTo(IDLE_NAMED) < 0 ? half : IDLE_NAMED;
    boolean idle = upload.activeAt().plus(named).isBefore(clock.instant());
    return idle ? State.IDLE : State.IN_USE;
  }

  /** Whether the upload ends by itself now. */
  public boolean isOver(OpenInfo.Upload upload) {
    return !clock.instant().isBefore(upload.endsAt());
  }
}
