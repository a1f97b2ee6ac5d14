package io.quarry.agent.cli;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Several pieces of work that are under way at once; results are taken in the order of the pieces.
 */
final class InFlight<T> implements AutoCloseable {
  /** So many pieces are in memory, including pieces that agents hold. */
  static final int PIECES_MAX = 4;

  static final int PIECE_BYTES = 4 << 20;

  private final ExecutorService threads =
      Executors.newFixedThreadPool(PIECES_MAX, Thread.ofPlatform().daemon().factory());
  private final Deque<Future<T>> pending = new ArrayDeque<>();
  private final Taker<T> taker;

  /** Handles a result, on the thread that adds the work. */
  @FunctionalInterface
  interface Taker<T> {
    void take(T result) throws IOException;
  }

  InFlight(Taker<T> taker) {
    this.taker = taker;
  }

  /** Waits until another piece fits. */
  void add(Callable<T> work) throws IOException {
    if (pending.size() == PIECES_MAX) {
      takeFirst();
    }
    pending.addLast(threads.submit(work));
  }

  /** The piece that was added last; null when all are taken. */
  @Nullable Future<T> last() {
    return pending.peekLast();
  }

  /** Waits until all pieces are done. */
  void drain() throws IOException {
    while (!pending.isEmpty()) {
      takeFirst();
    }
  }

  private void takeFirst() throws IOException {
    taker.take(result(pending.removeFirst()));
  }

  /** What the work returned or threw. */
  static <T> T result(Future<T> done) throws IOException {
    try {
      return done.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException failed -> throw failed;
        case RuntimeException failed -> throw failed;
        case null, default -> throw new IllegalStateException(e.getCause());
      }
    }
  }

  /** Cancels all pieces under way. */
  @Override
  public void close() {
    threads.shutdownNow();
  }
}
