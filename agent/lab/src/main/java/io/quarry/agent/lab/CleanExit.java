package io.quarry.agent.lab;

import java.io.IOException;
import java.io.PrintWriter;

/** Cleans up when the process is told to end, and keeps the main thread from printing meanwhile. */
final class CleanExit implements AutoCloseable {
  /** Work that fails in some way once the cleaning has begun. */
  interface Work<T, E extends Exception> {
    T run() throws E, InterruptedException, IOException;
  }

  private final Thread hook;
  private volatile boolean ending;

  CleanExit(PrintWriter err, Runnable cleanUp) {
    hook =
        new Thread(
            () -> {
              ending = true;
              err.println();
              err.println("cleaning up ...");
              err.flush();
              cleanUp.run();
            },
            "clean-exit");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  <T, E extends Exception> T unlessEnding(Work<T, E> work)
      throws E, InterruptedException, IOException {
    try {
      return work.run();
    } finally {
      if (ending) {
        // The work failed because the process is ending, and the hook still needs its time.
        hook.join();
      }
    }
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process is already ending.
    }
  }
}
