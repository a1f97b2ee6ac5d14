package io.quarry.agent.service;

import io.quarry.coordinator.thread.Supervisor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

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

  @Override
  public void close() {
    conversions.shutdownNow();
    readBacks.shutdownNow();
  }
}
