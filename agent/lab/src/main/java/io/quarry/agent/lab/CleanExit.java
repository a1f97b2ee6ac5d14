package io.quarry.agent.lab;

import java.io.IOException;
import java.io.PrintWriter;

/** Cleans up when the process is told to end, and keeps the main thread from speaking meanwhile. */
final class CleanExit implements AutoCloseable {
  /** Work that fails somehow when what it works with is taken away. */
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
        // What failed now failed because of the end, and the hook still needs its time.
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
