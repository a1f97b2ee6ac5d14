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
 * What an SDM runs on. Simulations bring their own.
 *
 * @param logs to commit to
 * @param queue of requests that wait for their turn
 * @param threads by the names they are to have
 * @param background runs one thing at a time, beside the commits; by its thread's name
 * @param checkpointRecords how many records are worth a checkpoint
 */
record SdmRuntime(
    Logs logs,
    BlockingQueue<Submission> queue,
    Function<String, ThreadFactory> threads,
    Function<String, ExecutorService> background,
    long checkpointRecords) {
  private static final long CHECKPOINT_RECORDS = Long.getLong("quarry.checkpoint.records", 1_000);

  /** Makes the log that a writer of that name commits to. */
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
