package io.quarry.it.chaos;

import java.time.Duration;

/**
 * Interrupts a thread when this process is told to end, so that the thread removes its namespaces
 * and mounts, which would stay otherwise.
 */
final class EarlyEnd implements AutoCloseable {
  private static final Duration CLEANING_MAX = Duration.ofMinutes(1);

  private final Thread hook;

  private EarlyEnd(Thread hook) {
    this.hook = hook;
  }

  static EarlyEnd of(Thread builder) {
    Thread hook = new Thread(() -> end(builder), "early-end");
    Runtime.getRuntime().addShutdownHook(hook);
    return new EarlyEnd(hook);
  }

  private static void end(Thread builder) {
    System.err.println("cleaning up ...");
    builder.interrupt();
    try {
      if (!builder.join(CLEANING_MAX)) {
        System.err.println("something may be left: see `ip netns` and `mount`");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process is already ending, and the hook waits for this thread.
    }
  }
}
