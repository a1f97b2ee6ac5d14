package io.quarry.agent.data.process;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** Reads one output of a child to its end on a thread of its own, and keeps a limited part. */
final class Capture {
  /** The part of a long output that is kept. */
  enum Keep {
    /** The beginning; an output beyond the limit is a failure of the tool. */
    START,
    /** The end, where tools print their errors. */
    TAIL
  }

  private final int limitBytes;
  private final Keep keep;
  private final Runnable onOverflow;
  private final Thread thread;
  private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
  private boolean overflowed;

  Capture(String name, InputStream in, int limitBytes, Keep keep, Runnable onOverflow) {
    this.limitBytes = limitBytes;
    this.keep = keep;
    this.onOverflow = onOverflow;
    this.thread = Thread.ofPlatform().daemon().name(name).start(() -> drain(in));
  }

  synchronized String text() {
    byte[] bytes = kept.toByteArray();
    int from = Math.max(0, bytes.length - limitBytes);
    return new String(bytes, from, bytes.length - from, StandardCharsets.UTF_8);
  }

  synchronized boolean overflowed() {
    return overflowed;
  }

  /** Waits for the end of the output, which comes with the end of the child. */
  void await(long millis) throws InterruptedException {
    thread.join(Math.max(1, millis));
  }

  private void drain(InputStream in) {
    byte[] buffer = new byte[8192];
    try (in) {
      int n = in.read(buffer);
      while (n >= 0) {
        add(buffer, n);
        n = in.read(buffer);
      }
    } catch (IOException e) {
      // The pipe of a killed child may break; the child's exit code tells the result.
      return;
    }
  }

  private void add(byte[] buffer, int n) {
    boolean first;
    synchronized (this) {
      int room = keep == Keep.START ? Math.min(n, limitBytes - kept.size()) : n;
      first = room < n && !overflowed;
      overflowed |= room < n;
      kept.write(buffer, 0, room);
      if (kept.size() > 2 * limitBytes) {
        dropStart();
      }
    }
    if (first) {
      onOverflow.run();
    }
  }

  private void dropStart() {
    byte[] bytes = kept.toByteArray();
    kept.reset();
    kept.write(bytes, bytes.length - limitBytes, limitBytes);
  }
}
