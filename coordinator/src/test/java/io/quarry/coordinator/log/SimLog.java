package io.quarry.coordinator.log;

import java.io.IOException;

/** Logs whose readers hand over their turn instead of sleeping. */
public final class SimLog {
  private SimLog() {}

  public static Replica replica(String name, SlotStore store, Runnable pause) throws IOException {
    return new Replica(name, new LogReader(store, pause::run));
  }

  public static CommitLog commitLog(SlotStore store, String writer, Runnable pause) {
    return new CommitLog(store, new LogReader(store, pause::run), writer);
  }
}
