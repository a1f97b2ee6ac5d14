package io.quarry.agent.fix;

import io.quarry.coordinator.plan.Volume.Writer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What this life of the host knows of its own merges in place while the log may name them as
 * writers. Of what it does not know nobody may say that it is over.
 */
public final class MergeWriters {
  enum Stage {
    /** It writes, or waits for its tools to end. */
    WRITING,
    /** Nothing of it writes any more. */
    OVER
  }

  private final Map<Writer, Stage> stages = new ConcurrentHashMap<>();

  void begin(Writer writer) {
    stages.put(writer, Stage.WRITING);
  }

  void over(Writer writer) {
    stages.put(writer, Stage.OVER);
  }

  /** The log does not name it, or nobody knows when its tools end. */
  void forget(Writer writer) {
    stages.remove(writer);
  }

  @Nullable Stage stageOf(Writer writer) {
    return stages.get(writer);
  }
}
