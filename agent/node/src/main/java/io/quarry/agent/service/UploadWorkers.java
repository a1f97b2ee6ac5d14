package io.quarry.agent.service;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.thread.Supervisor;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;

/**
 * What all uploads of an agent share.
 *
 * @param conversions make disks of files that were received
 * @param readBacks read what is stored while more is received
 */
record UploadWorkers(ExecutorService conversions, ExecutorService readBacks, RangeMemory memory)
    implements AutoCloseable {

  /** Others wait until one of them is done. */
  private static final int CONVERSIONS_MAX = 2;

  /** Of others all is read back at their end. */
  private static final int READ_BACKS_MAX = 2;

  static UploadWorkers of(Supervisor supervisor) {
    return new UploadWorkers(
        Executors.newFixedThreadPool(CONVERSIONS_MAX, supervisor.factory("conversion")),
        Executors.newFixedThreadPool(READ_BACKS_MAX, supervisor.factory("read-back")),
        new RangeMemory());
  }

  /** Reads back what is due; what an agent that stops does not read is read at the end. */
  void follow(ReadBack readBack) {
    if (!readBack.isDue()) {
      return;
    }
    try {
      readBacks.execute(readBack);
    } catch (RejectedExecutionException e) {
      readBack.notFollowed();
    }
  }

  /**
   * @param imageId what a refusal is about
   */
  Future<Boolean> convert(Callable<Boolean> conversion, String imageId) {
    try {
      return conversions.submit(conversion);
    } catch (RejectedExecutionException e) {
      throw new StorageException(
          ErrorCode.AGENT_UNAVAILABLE,
          "this agent is stopping",
          imageId,
          "repeat the call after a pause",
          e);
    }
  }

  @Override
  public void close() {
    conversions.shutdownNow();
    readBacks.shutdownNow();
  }
}
