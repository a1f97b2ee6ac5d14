package io.quarry.agent.data;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Handles an image window by window, in ascending order. One window is flushed while the next is
 * written. A stretch is reported only after a flush that began when the whole stretch was written.
 * A slow window is reported in parts, so that a crash costs little however slow the storage is.
 */
final class WindowLoop {
  private static final long REPORT_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /** Flushing and persisting a checkpoint take a small part of the time, also on a slow storage. */
  private static final int REPORT_SHARE = 20;

  private final Lanes lanes;
  private final CopyPace pace;
  private final Planner planner;
  private final Flush flush;
  private final Durable durable;
  private long reportedAtNanos;
  private long reportCostNanos;

  /** Tells which parts have to be moved. */
  @FunctionalInterface
  interface Planner {
    Window plan(long offset, long end) throws IOException, InterruptedException;
  }

  /** Makes all writes durable. */
  @FunctionalInterface
  interface Flush {
    void run() throws IOException;
  }

  /** Is called for each stretch that is durable. */
  @FunctionalInterface
  interface Durable {
    void upTo(long end) throws IOException;
  }

  WindowLoop(Lanes lanes, CopyPace pace, Planner planner, Flush flush, Durable durable) {
    this.lanes = lanes;
    this.pace = pace;
    this.planner = planner;
    this.flush = flush;
    this.durable = durable;
  }

  void run(long start, long size) throws IOException, InterruptedException {
    @Nullable Window previous = null;
    long at = start;
    reportedAtNanos = pace.nanos().getAsLong();
    while (at < size) {
      long end = Math.min(size, (at / pace.windowBytes() + 1) * pace.windowBytes());
      Window window = planner.plan(at, end);
      at = end;
      if (window.isEmpty() && end < size) {
        // Terabytes of holes need no checkpoints of their own; the next window's checkpoint covers
        // them.
        continue;
      }
      lanes.submit(window);
      if (previous != null) {
        finish(previous);
      }
      previous = window;
    }
    if (previous != null) {
      finish(previous);
    }
  }

  private void finish(Window window) throws IOException, InterruptedException {
    for (Chunk chunk : window.chunks()) {
      if (isDue() && chunk.offset() > window.offset()) {
        report(chunk.offset());
      }
      lanes.await(chunk);
    }
    report(window.end());
  }

  private boolean isDue() {
    long since = pace.nanos().getAsLong() - reportedAtNanos;
    return since >= Math.max(REPORT_NANOS, REPORT_SHARE * reportCostNanos);
  }

  private void report(long end) throws IOException {
    long began = pace.nanos().getAsLong();
    flush.run();
    durable.upTo(end);
    reportedAtNanos = pace.nanos().getAsLong();
    reportCostNanos = reportedAtNanos - began;
  }
}
