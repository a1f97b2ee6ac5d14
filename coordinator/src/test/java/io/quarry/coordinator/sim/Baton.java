package io.quarry.coordinator.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs several actors, one step of one actor at a time, in an order that depends on the seed alone.
 * Running actors tend to keep the baton, some fall asleep for long, some die, as hosts do in bad
 * cases. The actor with the baton also chooses the next one, so that keeping the baton costs
 * nothing.
 */
public final class Baton {
  /**
   * The code of an actor; it calls {@link Actor#step} before each operation that other actors could
   * see.
   */
  public interface Body {
    void run(Actor self) throws Exception;
  }

  /** Thrown out of a step: the process is gone. No handler of an actor may catch this error. */
  public static final class Died extends Error {
    private static final long serialVersionUID = 1L;

    public Died() {
      super("died", null, false, false);
    }
  }

  private enum Kind {
    MORTAL,
    IMMORTAL,
    /** Goes on at once when its condition holds. */
    URGENT
  }

  private static final int SLEEP_STEPS_MAX = 80;

  /** The longest wait for a condition that may never hold, in steps. */
  static final int PATIENCE_STEPS_MAX = 400;

  /** Far longer than any history takes. */
  private static final long STUCK_SECONDS = 60;

  private static final int STEPS_MAX = 200_000;
  private static final ThreadLocal<@Nullable Actor> CURRENT = new ThreadLocal<>();

  private final Random random;
  private final double deaths;
  private final double keeping;
  private final double dozing;
  private final Semaphore end = new Semaphore(0);
  private final List<Actor> alive = new ArrayList<>();
  private final List<String> trace = new ArrayList<>();
  private int steps;
  private volatile @Nullable AssertionError failure;

  /**
   * @param deaths the probability that an actor dies at a step
   */
  public Baton(Random random, double deaths) {
    this.random = random;
    this.deaths = deaths;
    this.keeping = List.of(0.0, 0.5, 0.9, 0.97).get(random.nextInt(4));
    this.dozing = List.of(0.0, 0.02, 0.1).get(random.nextInt(3));
  }

  /** One thread under the scheduler. */
  public final class Actor {
    private final String name;
    private final Kind kind;
    private final Semaphore turn = new Semaphore(0);
    private boolean doomed;
    private int asleep;
    private @Nullable BooleanSupplier awaits;

    private Actor(String name, Kind kind) {
      this.name = name;
      this.kind = kind;
    }

    /** Hands the baton over and waits until it comes back. */
    public void step(String what) {
      trace.add(name);
      trace.add(what);
      Actor next = next(this);
      if (next != this) {
        next.turn.release();
        turn.acquireUninterruptibly();
      }
      if (doomed) {
        doomed = false;
        trace.add(name);
        trace.add("dies");
        throw new Died();
      }
    }

    /**
     * Lets other actors go on until the condition holds, or for some time.
     *
     * @return whether the condition holds
     */
    public boolean await(BooleanSupplier ready, String what) {
      return await(ready, PATIENCE_STEPS_MAX, what);
    }

    /**
     * @param stepsMax how many steps of other actors the wait lasts at most
     */
    public boolean await(BooleanSupplier ready, int stepsMax, String what) {
      awaits = ready;
      asleep = random.nextInt(stepsMax);
      try {
        step(what);
      } finally {
        awaits = null;
        asleep = 0;
      }
      return ready.getAsBoolean();
    }

    private boolean awake() {
      BooleanSupplier what = awaits;
      return asleep == 0 || (what != null && what.getAsBoolean());
    }

    private void live(Body body) {
      CURRENT.set(this);
      turn.acquireUninterruptibly();
      try {
        body.run(this);
      } catch (Died e) {
        // Deaths are intended.
      } catch (Throwable e) {
        fail(new AssertionError(name + " failed", e));
        return;
      }
      alive.remove(this);
      if (alive.isEmpty()) {
        end.release();
      } else {
        next(this).turn.release();
      }
    }
  }

  /** An actor that has the baton may call this, too. */
  public void add(String name, Body body) {
    add(new Actor(name, Kind.MORTAL), body);
  }

  public void addImmortal(String name, Body body) {
    add(new Actor(name, Kind.IMMORTAL), body);
  }

  /** Adds an actor that runs before all others once its condition holds. */
  public void addUrgent(String name, Body body) {
    add(new Actor(name, Kind.URGENT), body);
  }

  private void add(Actor actor, Body body) {
    thread(actor, body).start();
  }

  /** The thread of a mortal actor, which must be started. */
  public Thread unstarted(String name, Body body) {
    return thread(new Actor(name, Kind.MORTAL), body);
  }

  private Thread thread(Actor actor, Body body) {
    alive.add(actor);
    return Thread.ofVirtual().name(actor.name).unstarted(() -> actor.live(body));
  }

  /** The actor of this thread, or null. */
  public static @Nullable Actor current() {
    return CURRENT.get();
  }

  /** Runs until all actors are done, or one fails. */
  public void run() {
    alive.getFirst().turn.release();
    if (!ended()) {
      throw new AssertionError("the actor with the baton waits for an actor without it");
    }
    AssertionError why = failure;
    if (why != null) {
      throw why;
    }
  }

  private boolean ended() {
    try {
      return end.tryAcquire(STUCK_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void fail(AssertionError why) {
    failure = why;
    end.release();
  }

  /** All other actors die before their next step. */
  public void doomOthers(Actor survivor) {
    alive.stream().filter(one -> one != survivor).forEach(one -> one.doomed = true);
  }

  private Actor next(Actor current) {
    if (++steps > STEPS_MAX) {
      throw new AssertionError("the history does not end");
    }
    Actor next = choose(current);
    next.doomed |= next.kind == Kind.MORTAL && random.nextDouble() < deaths;
    return next;
  }

  private Actor choose(Actor current) {
    if (current.awaits == null && random.nextDouble() < dozing) {
      current.asleep = random.nextInt(SLEEP_STEPS_MAX);
    }
    for (Actor one : alive) {
      one.asleep = Math.max(0, one.asleep - 1);
    }
    for (Actor one : alive) {
      if (one.kind == Kind.URGENT && one.awake()) {
        return one;
      }
    }
    boolean goesOn = current.awake() && alive.contains(current);
    if (goesOn && random.nextDouble() < keeping) {
      return current;
    }
    List<Actor> awake = new ArrayList<>(alive.size());
    for (Actor one : alive) {
      if (one.awake()) {
        awake.add(one);
      }
    }
    List<Actor> choice = awake.isEmpty() ? alive : awake;
    return choice.get(random.nextInt(choice.size()));
  }

  /** The steps so far, for people. */
  public List<String> trace() {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i + 1 < trace.size(); i += 2) {
      lines.add(trace.get(i) + ": " + trace.get(i + 1));
    }
    return lines;
  }
}
