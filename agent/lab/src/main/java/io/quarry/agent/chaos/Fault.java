package io.quarry.agent.chaos;

import java.time.Duration;

/**
 * One fault.
 *
 * @param roll picks the target among the possible ones
 * @param lasts how long the fault lasts, unless its kind decides that
 * @param pause until the next one
 */
public record Fault(Kind kind, int roll, Duration lasts, Duration pause) {

  /** Kinds that an arena cannot cause are left out of its plan. */
  public enum Kind {
    KILL_AGENT(24, true),
    /** Kills the agent of the SDM's host. */
    KILL_SDM(12, true),
    /** Kills the agent of a host that moves data. */
    KILL_WORKER(14, true),
    /** Kills a guardian: its agent dies with it, and no process proves the death. */
    KILL_GUARDIAN(6, true),
    /** Kills guardian, agent and tools at once, as if the host had lost its power. */
    KILL_HOST(4, true),
    /** Kills a qemu-nbd or qemu-img that works for an agent. */
    KILL_TOOL(8, true),
    KILL_ALL_AGENTS(2, true),
    PAUSE_AGENT(4, false),
    /** Pauses a worker until another host has published the worker's task. */
    ZOMBIE(26, false),
    PAUSE_GUARDIAN(2, false),
    PAUSE_TOOL(2, false),
    KILL_ZOOKEEPER(3, true),
    PAUSE_ZOOKEEPER(2, false),
    WIPE_ZOOKEEPER(1, true),
    /** Kills more than half of the ZooKeeper nodes. */
    KILL_QUORUM(1, true),
    /** A host reaches no ZooKeeper. */
    CUT_ZOOKEEPER(5, false),
    /** Two hosts do not reach each other. */
    CUT_AGENTS(4, false),
    /** A host receives everything, but what it sends is lost. */
    CUT_ONE_WAY(3, false),
    /** A host reaches only its storage. */
    CUT_HOST(4, false),
    /** A host's storage does not answer. */
    HANG_STORAGE(5, false),
    /** Each fsync of a host's storage takes long. */
    SLOW_STORAGE(3, false),
    /** Writes and fsyncs of a host's storage fail. */
    FAIL_STORAGE(4, false),
    /** A host's storage says that it is full. */
    FULL_STORAGE(3, false),
    /** A host's path leads to an older copy of the storage, or nowhere. */
    STORAGE_COPY(10, false),
    /** A repository has no key for a while, or another one. */
    WIPED_KEY(3, false),
    /** All processes die, and what was not forced is lost. */
    CUT_POWER(2, true),
    /** A process that Quarry does not know opens a volume's file for writing. */
    FOREIGN_WRITER(8, false);

    private final int weight;
    private final boolean kills;

    Kind(int weight, boolean kills) {
      this.weight = weight;
      this.kills = kills;
    }

    int weight() {
      return weight;
    }

    /** Whether it ends processes without warning. */
    public boolean kills() {
      return kills;
    }

    /** Whether a guest's reads and writes may fail or wait, too. */
    public boolean hurtsGuests() {
      return switch (this) {
        case HANG_STORAGE,
            SLOW_STORAGE,
            FAIL_STORAGE,
            FULL_STORAGE,
            STORAGE_COPY,
            CUT_POWER,
            FOREIGN_WRITER ->
            true;
        default -> false;
      };
    }
  }
}
