package io.quarry.coordinator.thread;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts the threads that an agent needs, and watches them. A body that throws anything is counted
 * and logged, and begins again after a pause. Otherwise the agent would notice an ended thread only
 * by the work that is not done.
 */
public final class Supervisor {
  /** The pause after one failure; each further failure doubles it. */
  static final Duration PAUSE_MIN = Duration.ofMillis(250);

  static final Duration PAUSE_MAX = Duration.ofSeconds(10);

  private static final Logger LOG = LoggerFactory.getLogger(Supervisor.class);

  private final Function<Runnable, Thread> threads;
  private final Map<String, Tally> tallies = new ConcurrentHashMap<>();
  private final Set<Life> lives = ConcurrentHashMap.newKeySet();
  private final List<Consumer<Tally>> listeners = new CopyOnWriteArrayList<>();

  public Supervisor() {
    this(body -> Thread.ofPlatform().daemon(true).unstarted(body));
  }

  Supervisor(Function<Runnable, Thread> threads) {
    this.threads = threads;
  }

  /** The listener gets each new name from now on. */
  public void onName(Consumer<Tally> listener) {
    listeners.add(listener);
  }

  /** Starts a thread whose body is begun again after each failure, and ends when it returns. */
  public Thread start(String name, Runnable body) {
    Life life = new Life(tally(name), body);
    lives.add(life);
    try {
      life.thread.start();
    } catch (Throwable failure) {
      lives.remove(life);
      throw failure;
    }
    return life.thread;
  }

  /** Threads for a pool, which replaces one that a failure has ended; the failure is counted. */
  public ThreadFactory factory(String name) {
    Tally tally = tally(name);
    AtomicLong count = new AtomicLong();
    return body ->
        named(
            name + "-" + count.getAndIncrement(),
            () -> {
              once(tally, body);
              // The pool goes on: its next task is independent of the failed one.
              tally.succeeded();
            });
  }

  /** One thread, not started yet: a failure ends it, and is counted. */
  public Thread unstarted(String name, Runnable body) {
    Tally tally = tally(name);
    return named(name, () -> once(tally, body));
  }

  private Thread named(String name, Runnable body) {
    Thread thread = threads.apply(body);
    thread.setName(name);
    return thread;
  }

  private void once(Tally tally, Runnable body) {
    try {
      body.run();
      tally.succeeded();
    } catch (Throwable failure) {
      failed(tally, failure);
    }
  }

  /** Counts a failure that happened elsewhere under that name. */
  public void failed(String name, Throwable failure) {
    var _ = failed(tally(name), failure);
  }

  /** Never throws: there may be no memory left for a message. */
  private static Duration failed(Tally tally, Throwable failure) {
    long inARow = tally.failed(failure);
    try {
      LOG.error("{} failed", tally.name(), failure);
    } catch (Throwable _) {
      // The tally has counted it.
    }
    return pauseAfter(inARow);
  }

  private static Duration pauseAfter(long failuresInARow) {
    long doublings = Math.min(failuresInARow - 1, 10);
    Duration pause = PAUSE_MIN.multipliedBy(1L << doublings);
    return pause.compareTo(PAUSE_MAX) < 0 ? pause : PAUSE_MAX;
  }

  /** The tally of each name, in the order of names. */
  public List<Tally> tallies() {
    return tallies.values().stream().sorted(Comparator.comparing(Tally::name)).toList();
  }

  /** Threads that have ended although their bodies have not. */
  public List<String> dead() {
    return lives.stream().filter(Life::dead).map(life -> life.tally.name()).sorted().toList();
  }

  /** Runs a loop's step, and counts its outcome. */
  Duration run(Tally tally, Loop.Step step) {
    try {
      step.run();
      tally.succeeded();
      return Duration.ZERO;
    } catch (Throwable failure) {
      return failed(tally, failure);
    }
  }

  Tally tally(String name) {
    return tallies.computeIfAbsent(
        name,
        fresh -> {
          Tally tally = new Tally(fresh);
          listeners.forEach(listener -> listener.accept(tally));
          return tally;
        });
  }

  /** A thread and its body. */
  private final class Life {
    private final Tally tally;
    private final Runnable body;
    private final Thread thread;

    Life(Tally tally, Runnable body) {
      this.tally = tally;
      this.body = body;
      this.thread = named(tally.name(), this::run);
    }

    private void run() {
      while (true) {
        try {
          body.run();
          lives.remove(this);
          return;
        } catch (Throwable failure) {
          rest(failed(tally, failure));
        }
      }
    }

    /** Only the end of the process interrupts this thread. */
    private static void rest(Duration pause) {
      try {
        Thread.sleep(pause);
      } catch (InterruptedException e) {
        LOG.warn("{} was interrupted and goes on", Thread.currentThread().getName());
      }
    }

    boolean dead() {
      return thread.getState() == Thread.State.TERMINATED && lives.contains(this);
    }
  }
}
