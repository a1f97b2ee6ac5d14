package io.quarry.coordinator.log;

import java.io.IOException;
import java.util.Random;
import java.util.function.Consumer;

/** A storage that several hosts share, and what goes wrong with it. */
public interface HostileStorage {
  /** A host that may live several lives. */
  interface Host {
    /** The log as this life reaches it. */
    SlotStore store();

    /** Something is going to go wrong, or not. */
    void disturb(Random random) throws IOException;

    /** The next checkpoint is not stored as it was given, if the storage can do that. */
    void spoilNextCheckpoint();

    /** What was sent and not carried out yet is carried out. */
    void landDelayed();

    /** After its death. */
    void beginLife() throws IOException;
  }

  /**
   * @param beforeEachStep is called before anything that others could see or that looks at others;
   *     what it throws is the host's death
   */
  Host host(String name, Consumer<String> beforeEachStep) throws IOException;

  /** The log as it is, without any trouble. */
  SlotStore calm() throws IOException;

  /** The content of a name changes behind everybody's back. */
  void overwrite(String name, byte[] content) throws IOException;

  /** What was not durable is lost, in part; all hosts have died. */
  void powerCut(Random random) throws IOException;
}
