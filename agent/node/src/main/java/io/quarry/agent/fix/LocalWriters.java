package io.quarry.agent.fix;

import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Volume.Writer;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What this life of the host knows of those of its fixes that have ended, while others go on in
 * their files. Of what it does not know nobody may say that it is over.
 */
public final class LocalWriters {
  /** Of a merge in place, for as long as the log may name it as a writer. */
  enum Stage {
    /** It writes, or waits for its tools to end. */
    WRITING,
    /** Nothing of it writes any more. */
    OVER
  }

  private final Map<Writer, Stage> merges = new ConcurrentHashMap<>();

  /** Fixes that had a tool which did not end when it was killed: the storage hangs. */
  private final Set<String> loose = ConcurrentHashMap.newKeySet();

  void begin(Writer merge) {
    merges.put(merge, Stage.WRITING);
  }

  void over(Writer merge) {
    merges.put(merge, Stage.OVER);
  }

  /** The log does not name it, or nobody knows when its tools end. */
  void forget(Writer merge) {
    merges.remove(merge);
  }

  @Nullable Stage stageOf(Writer merge) {
    return merges.get(merge);
  }

  void lose(String fixId) {
    loose.add(fixId);
  }

  /** An epoch in this very life has ended before the next one is claimed, with all its tools. */
  PriorWriterProof proof(String fixId, Worker self, PriorWriterProof others) {
    return worker -> worker.equals(self) ? !loose.contains(fixId) : others.dead(worker);
  }
}
