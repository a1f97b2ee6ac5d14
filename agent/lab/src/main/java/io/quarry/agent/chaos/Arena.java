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

/** A running cluster that faults can strike. Faults begin and end on one thread. */
public interface Arena extends AutoCloseable {
  /** One host, and the address of its agent, which stays the same over restarts. */
  record Member(String hostId, URI agent) {}

  List<Member> members();

  /** The kinds of faults that the arena can cause. */
  Set<Fault.Kind> possible();

  /** The kinds of faults that the arena cannot cause, and why. */
  List<String> missing();

  /**
   * Begins a fault.
   *
   * @param busy the targets of current faults: hostIds and other names
   * @return null when the fault has no possible target now
   */
  @Nullable Strike strike(Fault fault, Set<String> busy, Sights sights)
      throws IOException, InterruptedException;

  /** Cuts a host's power and restores it: the host's processes and its boot id are new. */
  void reboot(String hostId) throws IOException, InterruptedException;

  /** Waits until every agent answers, after all faults have ended. */
  void heal() throws IOException, InterruptedException;

  /** The directory of the repository, independent of the hosts' paths. */
  Path storage(String repoId);

  /**
   * Whether a process with QEMU's rights can write to the file of a volume, when it knows only the
   * file's path.
   */
  boolean overwrites(Path volume) throws IOException;

  /** The directory of the logs of agents and ZooKeepers. */
  Path logs();

  @Override
  void close();

  /** The current knowledge about the cluster. */
  interface Sights {
    /** The hostId of the SDM. */
    Optional<String> sdm();

    /** Tasks that move data. */
    List<TaskInfo> tasks();

    /** Whether the host's agent has answered a question that was asked after that moment. */
    boolean answered(String hostId, long sinceNanos);

    /** Whether any host has published the image's data work since then. */
    boolean published(TaskInfo task, long sinceNanos);

    /** Whether the task makes a disk that guests will write to. */
    boolean writable(TaskInfo task);

    /**
     * Asks guests to write to a disk that was published while its first worker sleeps; returns
     * whether they have.
     */
    boolean written(TaskInfo task);

    /** Reports an event that must never happen. */
    void violation(String what);

    /** Reports that the task's worker has woken up. */
    void awake(TaskInfo task);
  }

  /**
   * A fault that lasts.
   *
   * @param what happened, in words
   * @param busy the targets that no other fault may strike meanwhile
   * @param killed hosts whose agents have just been killed
   * @param lives the number of processes that the fault has just ended
   * @param lasts the longest duration
   * @param over whether the fault ends before that
   * @param asleep the task whose worker sleeps while another host continues it
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
    /** After this time a slower agent may be struck again while it starts. */
    private static final Duration BACK_MAX = Duration.ofSeconds(5);

    public Strike {
      busy = Set.copyOf(busy);
      killed = Set.copyOf(killed);
    }

    /** A fault that is over at once. */
    public static Strike once(String what, int lives) {
      return new Strike(what, Set.of(), Set.of(), lives, Duration.ZERO, () -> true, null, () -> {});
    }

    /**
     * Kills agents, which their guardians start again; the fault is over when all of them answer.
     */
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

    /** A fault that lasts for that duration. */
    public static Strike lasting(String what, Set<String> busy, Duration lasts, Ending ending) {
      return new Strike(what, busy, Set.of(), 0, lasts, () -> false, null, ending);
    }

    public Strike killing(int processes, String... hostIds) {
      return new Strike(what, busy, Set.of(hostIds), processes, lasts, over, asleep, ending);
    }
  }

  /** Ends a fault. */
  interface Ending {
    void end() throws IOException, InterruptedException;
  }
}
