package io.quarry.agent.fix;

import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Volume.Writer;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What this life of the host knows about its own fixes that have ended while other hosts continue
 * in their files. A fix that this class does not know must not count as over.
 */
public final class LocalWriters {
  /** The stage of a merge in place, for as long as the log may name the merge as a writer. */
  enum Stage {
    /** The merge writes, or waits for its tools to end. */
    WRITING,
    /** No process of the merge writes any more. */
    OVER
  }

  private final Map<Writer, Stage> merges = new ConcurrentHashMap<>();

  /** Fixes that had a tool which did not end when this host killed it: the storage hangs. */
  private final Set<String> loose = ConcurrentHashMap.newKeySet();

  void begin(Writer merge) {
    merges.put(merge, Stage.WRITING);
  }

  void over(Writer merge) {
    merges.put(merge, Stage.OVER);
  }

  /** The log does not name the merge, or this host does not know when its tools end. */
  void forget(Writer merge) {
    merges.remove(merge);
  }

  @Nullable Stage stageOf(Writer merge) {
    return merges.get(merge);
  }

  void lose(String fixId) {
    loose.add(fixId);
  }

  /** An epoch of this life has ended, with all its tools, before the next epoch is claimed. */
  PriorWriterProof proof(String fixId, Worker self, PriorWriterProof others) {
    return worker -> worker.equals(self) ? !loose.contains(fixId) : others.dead(worker);
  }
}
