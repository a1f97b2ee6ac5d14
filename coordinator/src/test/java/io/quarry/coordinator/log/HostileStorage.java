package io.quarry.coordinator.log;

import java.io.IOException;
import java.util.Random;
import java.util.function.Consumer;

/** A storage that several hosts share, and its faults. */
public interface HostileStorage {
  /** A host that may live several lives. */
  interface Host {
    /** The log as this life sees it. */
    SlotStore store();

    /** Orders a fault, or none. */
    void disturb(Random random) throws IOException;

    /** The next checkpoint is stored damaged, if the storage can do that. */
    void spoilNextCheckpoint();

    /** Carries out the operations that were sent and delayed. */
    void landDelayed();

    /** Begins the next life after a death. */
    void beginLife() throws IOException;
  }

  /**
   * @param beforeEachStep runs before each operation that other hosts could see or that reads their
   *     work; an error that it throws is the host's death
   */
  Host host(String name, Consumer<String> beforeEachStep) throws IOException;

  /** The log without any faults. */
  SlotStore calm() throws IOException;

  /** Changes the content of a name, unseen by all hosts. */
  void overwrite(String name, byte[] content) throws IOException;

  /** Loses a part of the data that was not durable; all hosts have died. */
  void powerCut(Random random) throws IOException;
}
