package io.quarry.it.bench;

import java.io.IOException;
import java.util.List;

/** Runs a command and times it. */
final class Tool {
  private Tool() {}

  static long nanos(String... command) throws IOException, InterruptedException {
    long start = System.nanoTime();
    Process process =
        new ProcessBuilder(List.of(command))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    int exit = process.waitFor();
    if (exit != 0) {
      throw new IOException(String.join(" ", command) + " ended with exit code " + exit);
    }
    return System.nanoTime() - start;
  }

  static boolean works(String... command) throws InterruptedException {
    try {
      nanos(command);
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
