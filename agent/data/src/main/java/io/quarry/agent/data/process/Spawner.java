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
 * child when the <em>thread</em> that started it ends. So no other thread fits: an idle pool's
 * thread ends, and a virtual thread runs on many carrier threads.
 */
public final class Spawner {
  private static final List<String> DIE_WITH_PARENT =
      List.of("setpriv", "--pdeathsig", "KILL", "--");

  // Not newSingleThreadExecutor: when that executor is unreachable, its thread ends, and all
  // children with it.
  private final ExecutorService thread =
      Executors.newFixedThreadPool(1, Thread.ofPlatform().daemon().name("tool-spawner").factory());

  Process start(List<String> command) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("LC_ALL", "C");
    // Each thread of a tool would reserve 128 MiB of addresses, which count against its limits.
    builder.environment().put("MALLOC_ARENA_MAX", "1");
    return start(builder);
  }

  /**
   * Starts what the builder describes, as a child that dies with this process. The wait ignores
   * interrupts: it takes milliseconds, and no child may get lost.
   */
  public Process start(ProcessBuilder builder) throws IOException {
    String program = builder.command().getFirst();
    List<String> words = new ArrayList<>(DIE_WITH_PARENT);
    words.addAll(builder.command());
    builder.command(words);
    Future<Process> started = thread.submit(builder::start);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return started.get();
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          throw new IOException(program + ": cannot be started", e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
