package io.quarry.agent.cli;

import java.io.PrintWriter;

/** Tells a user who presses Ctrl-C which work continues, or how to continue. */
final class GoesOn implements AutoCloseable {
  private final Thread hook;

  GoesOn(PrintWriter err, String text) {
    hook =
        new Thread(
            () -> {
              err.println();
              err.println(text);
              err.flush();
            },
            "goes-on");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  static String text(String watch) {
    return "the operation goes on; watch it with `" + watch + "`";
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process is already ending, and the hook has printed the text.
    }
  }
}
