package io.quarry.coordinator.log;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * Runs several actors, one step of one of them at a time, in an order that depends on the seed
 * alone. Runners tend to keep the baton, some fall asleep for long, some die: that is how hosts
 * behave when it hurts.
 */
final class Baton {
  /** What an actor does; it calls {@link Actor#step} before everything that others could see. */
  interface Body {
    void run(Actor self) throws Exception;
  }

  /** Thrown out of a step: the process is gone. */
  static final class Died extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /** One thread under the scheduler. */
  final class Actor {
    private final String name;
    private final boolean mortal;
    private final Semaphore turn = new Semaphore(0);
    private boolean done;
    private boolean doomed;
    private int asleep;
    private @Nullable Throwable failure;

    private Actor(String name, boolean mortal) {
      this.name = name;
      this.mortal = mortal;
    }

    /** Hands the baton over and waits until it comes back. */
    void step(String what) {
      trace.add(name + ": " + what);
      back.release();
      turn.acquireUninterruptibly();
      if (doomed) {
        doomed = false;
        trace.add(name + ": dies");
        throw new Died();
      }
    }

    private void live(Body body) {
      turn.acquireUninterruptibly();
      try {
        body.run(this);
      } catch (Throwable e) {
        failure = e;
      }
      done = true;
      back.release();
    }
  }

  private static final int SLEEP_STEPS_MAX = 80;
  private static final int STEPS_MAX = 100_000;

  private final Random random;
  private final double deaths;
  private final double keeping;
  private final double dozing;
  private final Semaphore back = new Semaphore(0);
  private final List<Actor> actors = new ArrayList<>();
  private final List<String> trace = new ArrayList<>();

  /**
   * @param deaths how likely an actor is to die at a step
   */
  Baton(Random random, double deaths) {
    this.random = random;
    this.deaths = deaths;
    this.keeping = List.of(0.0, 0.5, 0.9, 0.97).get(random.nextInt(4));
    this.dozing = List.of(0.0, 0.02, 0.1).get(random.nextInt(3));
  }

  void add(String name, Body body) {
    add(new Actor(name, true), body);
  }

  void addImmortal(String name, Body body) {
    add(new Actor(name, false), body);
  }

  private void add(Actor actor, Body body) {
    actors.add(actor);
    Thread.ofVirtual().name(actor.name).start(() -> actor.live(body));
  }

  /** Until all actors are done, or one fails. */
  void run() throws Exception {
    Actor current = actors.getFirst();
    for (int steps = 0; actors.stream().anyMatch(one -> !one.done); steps++) {
      if (steps == STEPS_MAX) {
        throw new AssertionError("no end in sight");
      }
      current = next(current);
      current.doomed |= current.mortal && random.nextDouble() < deaths;
      current.turn.release();
      back.acquireUninterruptibly();
      if (current.failure != null) {
        throw new AssertionError(current.name + " failed", current.failure);
      }
    }
  }

  /** All the others die before they do anything else. */
  void doomOthers(Actor survivor) {
    actors.stream().filter(one -> one != survivor).forEach(one -> one.doomed = true);
  }

  private Actor next(Actor current) {
    List<Actor> alive = actors.stream().filter(one -> !one.done).toList();
    if (random.nextDouble() < dozing) {
      current.asleep = random.nextInt(SLEEP_STEPS_MAX);
    }
    alive.forEach(one -> one.asleep = Math.max(0, one.asleep - 1));
    if (!current.done && current.asleep == 0 && random.nextDouble() < keeping) {
      return current;
    }
    List<Actor> awake = alive.stream().filter(one -> one.asleep == 0).toList();
    List<Actor> choice = awake.isEmpty() ? alive : awake;
    return choice.get(random.nextInt(choice.size()));
  }

  /** The steps so far, for people. */
  List<String> trace() {
    return trace;
  }
}
