package io.quarry.agent.chaos;

import io.quarry.common.api.TaskInfo;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** A running cluster that can be struck. Faults begin and end on one thread. */
public interface Arena extends AutoCloseable {
  /** One host, and where its agent answers, also after a restart. */
  record Member(String hostId, URI agent) {}

  List<Member> members();

  /** What it can do to its cluster. */
  Set<Fault.Kind> possible();

  /** What it cannot do, and why. */
  List<String> missing();

  /**
   * Begins a fault.
   *
   * @param busy whom faults strike already: hostIds and other names
   * @return null when there is nobody to strike now
   */
  @Nullable Strike strike(Fault fault, Set<String> busy, Sights sights)
      throws IOException, InterruptedException;

  /** A host loses its power and comes back: its processes and its boot id are new. */
  void reboot(String hostId) throws IOException, InterruptedException;

  /** All faults have ended; waits until every agent answers. */
  void heal() throws IOException, InterruptedException;

  /** Where the repository is, whatever way the hosts have to it. */
  Path storage(String repoId);

  /**
   * Whether a process that knows nothing but the path of a volume's file can write to the file. It
   * has the rights of QEMU's user.
   */
  boolean overwrites(Path volume) throws IOException;

  /** Where its agents and ZooKeepers say what they do. */
  Path logs();

  @Override
  void close();

  /** What is known of the cluster at the moment. */
  interface Sights {
    /** Who commits. */
    Optional<String> sdm();

    /** Tasks that move data. */
    List<TaskInfo> tasks();

    /** Whether the host's agent has answered what it was asked since then. */
    boolean answered(String hostId, long sinceNanos);

    /** Whether the image's data work was published by somebody since then. */
    boolean published(TaskInfo task, long sinceNanos);

    /** Whether it makes a disk that guests will write to. */
    boolean writable(TaskInfo task);

    /**
     * Asks guests to write to what was published while its first worker sleeps; whether they have.
     */
    boolean written(TaskInfo task);

    /** Tells of what may never happen. */
    void violation(String what);

    /** The worker has woken up. */
    void awake(TaskInfo task);
  }

  /**
   * A fault that goes on.
   *
   * @param what happened, for people
   * @param busy whom no other fault may strike meanwhile
   * @param killed hosts whose agents have just been killed
   * @param lives of processes that it has just ended
   * @param lasts how long at most
   * @param over whether it ends before that
   * @param asleep whose task goes on elsewhere meanwhile
   */
  record Strike(
      String what,
      Set<String> busy,
      Set<String> killed,
      int lives,
      Duration lasts,
      BooleanSupplier over,
      @Nullable TaskInfo asleep,
      Ending ending) {
    /** An agent that takes longer to come back may be struck while it does. */
    private static final Duration BACK_MAX = Duration.ofSeconds(5);

    public Strike {
      busy = Set.copyOf(busy);
      killed = Set.copyOf(killed);
    }

    /** What is over at once. */
    public static Strike once(String what, int lives) {
      return new Strike(what, Set.of(), Set.of(), lives, Duration.ZERO, () -> true, null, () -> {});
    }

    /** Agents that guardians start again; it is over when all of them answer. */
    public static Strike kill(String what, Set<String> hostIds, Sights sights) {
      long killed = System.nanoTime();
      return new Strike(
          what,
          hostIds,
          hostIds,
          hostIds.size(),
          BACK_MAX,
          () -> hostIds.stream().allMatch(hostId -> sights.answered(hostId, killed)),
          null,
          () -> {});
    }

    /** What goes on for that long. */
    public static Strike lasting(String what, Set<String> busy, Duration lasts, Ending ending) {
      return new Strike(what, busy, Set.of(), 0, lasts, () -> false, null, ending);
    }

    public Strike killing(int processes, String... hostIds) {
      return new Strike(what, busy, Set.of(hostIds), processes, lasts, over, asleep, ending);
    }
  }

  /** How a fault ends. */
  interface Ending {
    void end() throws IOException, InterruptedException;
  }
}
