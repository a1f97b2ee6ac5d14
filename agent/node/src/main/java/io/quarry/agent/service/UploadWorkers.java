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
 * The threads and memory that all uploads of an agent share.
 *
 * @param conversions convert received files into disks
 * @param readBacks read stored bytes back while more are received
 */
record UploadWorkers(ExecutorService conversions, ExecutorService readBacks, RangeMemory memory)
    implements AutoCloseable {

  /** Further conversions wait until one of these is done. */
  private static final int CONVERSIONS_MAX = 2;

  /** All bytes of further uploads are read back at their end. */
  private static final int READ_BACKS_MAX = 2;

  static UploadWorkers of(Supervisor supervisor) {
    return new UploadWorkers(
        Executors.newFixedThreadPool(CONVERSIONS_MAX, supervisor.factory("conversion")),
        Executors.newFixedThreadPool(READ_BACKS_MAX, supervisor.factory("read-back")),
        new RangeMemory());
  }

  /** Reads back what is due. While the agent stops, the rest is left for the end of the upload. */
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
   * @param imageId the subject of a refusal
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
