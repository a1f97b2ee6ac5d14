package io.quarry.coordinator.sdm;

import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.SlotStore;
import io.quarry.coordinator.thread.Supervisor;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.function.Function;

/**
 * The environment of an SDM. Simulations bring their own.
 *
 * @param logs to commit to
 * @param queue of requests that wait for their turn
 * @param threads makes threads by name
 * @param background makes executors by the name of their thread; each runs one task at a time,
 *     beside the commits
 * @param checkpointRecords how many records are worth a checkpoint
 */
record SdmRuntime(
    Logs logs,
    BlockingQueue<Submission> queue,
    Function<String, ThreadFactory> threads,
    Function<String, ExecutorService> background,
    long checkpointRecords) {
  private static final long CHECKPOINT_RECORDS = Long.getLong("quarry.checkpoint.records", 1_000);

  /** Makes the log for a writer's commits. */
  interface Logs {
    CommitLog of(SlotStore store, String writer);
  }

  static SdmRuntime usual(Supervisor supervisor) {
    return new SdmRuntime(
        CommitLog::new,
        new ArrayBlockingQueue<>(Sdm.QUEUED_REQUESTS_MAX),
        name -> body -> supervisor.unstarted(name, body),
        name -> Executors.newSingleThreadExecutor(supervisor.factory(name)),
        CHECKPOINT_RECORDS);
  }
}
