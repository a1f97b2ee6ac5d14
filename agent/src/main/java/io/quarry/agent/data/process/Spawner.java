package io.quarry.agent.data.process;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Starts every external tool of the process from one thread that never ends. The kernel kills each
 * child when the <em>thread</em> that started it ends, which makes any other thread unfit: a pool's
 * would take its children along when it is idle, and a virtual one is many.
 */
public final class Spawner {
  private static final List<String> DIE_WITH_PARENT =
      List.of("setpriv", "--pdeathsig", "KILL", "--");

  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().daemon().name("tool-spawner").factory());

  /**
   * Waits without heeding interrupts: it is a matter of milliseconds, and no child may get lost.
   */
  Process start(List<String> command) throws IOException {
    List<String> words = new ArrayList<>(DIE_WITH_PARENT);
    words.addAll(command);
    ProcessBuilder builder = new ProcessBuilder(words);
    builder.environment().put("LC_ALL", "C");
    Future<Process> started = thread.submit(builder::start);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return started.get();
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          throw new IOException(command.getFirst() + ": cannot be started", e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
