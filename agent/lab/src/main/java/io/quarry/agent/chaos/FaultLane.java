package io.quarry.agent.chaos;

import io.quarry.agent.chaos.Arena.Sights;
import io.quarry.agent.chaos.Arena.Strike;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Begins and ends faults, several at a time. One thread runs the faults; counts may be read after
 * its end.
 */
final class FaultLane {
  private static final Duration STEP = Duration.ofMillis(20);
  private static final int WAITING_MAX = 2;

  /** How long a fault waits for a target; then the next fault strikes. */
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  private static final Duration NOTICED_MAX = Duration.ofSeconds(20);

  private record Active(Fault fault, Strike strike, long endNanos) {
    boolean due() {
      return System.nanoTime() >= endNanos || strike.over().getAsBoolean();
    }
  }

  private final Arena arena;
  private final Nemesis plan;
  private final Sights sights;
  private final WorkWatch work;
  private final History history;
  private final List<Active> active = new ArrayList<>();

  /** Faults that need a worker, while no host works on a fix. */
  private final Deque<Fault> waiting = new ArrayDeque<>();

  private final Map<Fault.Kind, Integer> counts = new EnumMap<>(Fault.Kind.class);
  private int zombies;
  private int lives;

  /** A guest may notice a fault after the fault's end. */
  private volatile long guestsSufferUntil = System.nanoTime();

  FaultLane(Arena arena, Nemesis plan, Sights sights, WorkWatch work, History history) {
    this.arena = arena;
    this.plan = plan;
    this.sights = sights;
    this.work = work;
    this.history = history;
  }

  /** Strikes for that duration, and ends all faults that still last. */
  void run(Duration duration) throws InterruptedException, IOException {
    long end = System.nanoTime() + duration.toNanos();
    long next = System.nanoTime();
    Fault fault = plan.next();
    try {
      while (System.nanoTime() < end) {
        endWhatIsDue();
        if (!waiting.isEmpty() && begin(waiting.getFirst())) {
          waiting.removeFirst();
        }
        long now = System.nanoTime();
        if (now >= next) {
          if (begin(fault)) {
            next = now + fault.pause().toNanos();
            fault = plan.next();
          } else if (fault.kind() == Fault.Kind.ZOMBIE && waiting.size() < WAITING_MAX) {
            waiting.add(fault);
            fault = plan.next();
          } else if (now - next > PATIENCE.toNanos()) {
            next = now;
            fault = plan.next();
          }
        }
        Thread.sleep(STEP);
      }
    } finally {
      for (Active each : List.copyOf(active)) {
        end(each);
      }
    }
  }

  /**
   * Kills a guardian while ZooKeeper is down, so that the host is back before ZooKeeper is. Then
   * the earlier life's session still exists, however slow this machine is, and no process proves
   * the life's end.
   *
   * @return the host
   */
  String strikeWhileZooKeeperIsDown() throws InterruptedException, IOException {
    Set<Fault.Kind> possible = arena.possible();
    int roll = plan.next().roll();
    Active zooKeeper =
        insist(
            possible.contains(Fault.Kind.KILL_QUORUM)
                ? Fault.Kind.KILL_QUORUM
                : Fault.Kind.KILL_ZOOKEEPER,
            roll);
    Active guardian = insist(Fault.Kind.KILL_GUARDIAN, roll);
    end(guardian);
    arena.heal();
    end(zooKeeper);
    return guardian.strike().killed().iterator().next();
  }

  private Active insist(Fault.Kind kind, int roll) throws InterruptedException, IOException {
    if (!begin(new Fault(kind, roll, Duration.ZERO, Duration.ZERO))) {
      throw new IllegalStateException(kind + " has no target, although no other fault lasts");
    }
    return active.getLast();
  }

  private boolean begin(Fault fault) throws IOException, InterruptedException {
    Set<String> busy = new HashSet<>();
    active.forEach(each -> busy.addAll(each.strike().busy()));
    Strike strike;
    try {
      strike = arena.strike(fault, busy, sights);
    } catch (IOException | IllegalStateException e) {
      // The target process has just ended, or has not begun.
      return false;
    }
    if (strike == null) {
      return false;
    }
    history.moment(strike.what());
    strike.killed().forEach(work::killed);
    counts.merge(fault.kind(), 1, Integer::sum);
    lives += strike.lives();
    guestsMayNotice(fault);
    active.add(new Active(fault, strike, System.nanoTime() + strike.lasts().toNanos()));
    return true;
  }

  private void endWhatIsDue() throws IOException, InterruptedException {
    for (Active one : List.copyOf(active)) {
      if (one.due()) {
        end(one);
      }
    }
  }

  private void end(Active one) throws IOException, InterruptedException {
    active.remove(one);
    if (one.strike().asleep() != null) {
      boolean published = one.strike().over().getAsBoolean();
      zombies += published ? 1 : 0;
      history.moment(
          published
              ? "SIGCONT " + one.strike().asleep().hostId() + ": its work is published by another"
              : "SIGCONT " + one.strike().asleep().hostId());
    }
    one.strike().ending().end();
    if (one.strike().asleep() != null) {
      sights.awake(one.strike().asleep());
    }
    guestsMayNotice(one.fault());
  }

  private void guestsMayNotice(Fault fault) {
    if (fault.kind().hurtsGuests()) {
      guestsSufferUntil = System.nanoTime() + fault.lasts().plus(NOTICED_MAX).toNanos();
    }
  }

  boolean guestsSuffer() {
    return System.nanoTime() < guestsSufferUntil;
  }

  Map<Fault.Kind, Integer> counts() {
    return Map.copyOf(counts);
  }

  /** The number of processes that were killed. */
  int lives() {
    return lives;
  }

  /** The number of workers that woke up after another host had published their work. */
  int zombies() {
    return zombies;
  }
}
