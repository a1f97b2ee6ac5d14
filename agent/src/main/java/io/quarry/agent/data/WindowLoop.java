package io.quarry.agent.data;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Goes over an image window by window, in ascending order. While one window is being flushed the
 * next is already being written, but a window is only ever reported after a flush that began when
 * all of it was written: flushed first, then counted.
 */
final class WindowLoop {
  private final Lanes lanes;
  private final Planner planner;
  private final Flush flush;
  private final Durable durable;

  /** Says what there is to move. */
  @FunctionalInterface
  interface Planner {
    Window plan(long offset, long end) throws IOException, InterruptedException;
  }

  /** Makes all that was written durable. */
  @FunctionalInterface
  interface Flush {
    void run() throws IOException;
  }

  /** Hears of each window after it is durable. */
  @FunctionalInterface
  interface Durable {
    void upTo(long end) throws IOException;
  }

  WindowLoop(Lanes lanes, Planner planner, Flush flush, Durable durable) {
    this.lanes = lanes;
    this.planner = planner;
    this.flush = flush;
    this.durable = durable;
  }

  void run(long start, long size, long windowBytes) throws IOException, InterruptedException {
    @Nullable Window previous = null;
    long at = start;
    while (at < size) {
      long end = Math.min(size, (at / windowBytes + 1) * windowBytes);
      Window window = planner.plan(at, end);
      at = end;
      if (window.isEmpty() && end < size) {
        // Terabytes of nothing need no checkpoints; the next window's counts for them.
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
    lanes.await(window);
    flush.run();
    durable.upTo(window.end());
  }
}
