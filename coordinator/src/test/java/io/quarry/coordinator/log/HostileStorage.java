package io.quarry.coordinator.log;

import java.io.IOException;
import java.util.Random;
import java.util.function.Consumer;

/** A storage that several hosts share, and its faults. */
public interface HostileStorage {
  /** The fault of a write that takes a name. */
  enum Fault {
    NONE,
    /** The write lands, and gets no reply. */
    LOST_REPLY,
    /** The write lands, is sent again, and meets itself where writes can do that. */
    SENT_TWICE,
    /** The write gets no reply, and lands when {@link Host#landDelayed} is called. */
    LATE
  }

  /** A host that may live several lives. */
  interface Host {
    /** The log as this life sees it. */
    SlotStore store();

    /** Orders the faults of the next writes. */
    void nextWrites(Fault... faults);

    /** That many of the next reads fail. */
    void failReads(int count);

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

  /** The bytes that hold a name's content. */
  byte[] stored(String name) throws IOException;

  /** Changes these bytes, unseen by all hosts. */
  void overwrite(String name, byte[] stored) throws IOException;

  /** Loses a part of the data that was not durable; all hosts have died. */
  void powerCut(Random random) throws IOException;
}
