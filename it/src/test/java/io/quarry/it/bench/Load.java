package io.quarry.it.bench;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;

/** Calls from many threads for a bounded time. */
final class Load {
  private Load() {}

  interface Call {
    void run() throws Exception;
  }

  /** Completed calls per second. */
  static double perSecond(int clients, long seconds, Call call) throws Exception {
    LongAdder done = new LongAdder();
    AtomicReference<Exception> failure = new AtomicReference<>();
    CountDownLatch ended = new CountDownLatch(clients);
    long start = System.nanoTime();
    long end = start + seconds * 1_000_000_000L;
    for (int i = 0; i < clients; i++) {
      Thread.ofPlatform()
          .daemon(true)
          .start(() -> {
            try {
              while (System.nanoTime() - end < 0 && failure.get() == null) {
                call.run();
                done.increment();
              }
            } catch (Exception e) {
              failure.compareAndSet(null, e);
            } finally {
              ended.countDown();
            }
          });
    }
    ended.await();
    if (failure.get() != null) {
      throw failure.get();
    }
    return done.sum() / ((System.nanoTime() - start) / 1e9);
  }
}
