package io.quarry.agent.guardian;

import io.quarry.agent.data.os.Reaper;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts the agent, waits for its end, buries it, starts the next one. The main thread does all of
 * that; {@link #stop} may run on another thread.
 */
final class Guardian {
  /** How long an agent may take to end after SIGTERM before it is killed. */
  static final Duration STOP_WAIT = Duration.ofSeconds(20);

  /** How long killed descendants may exist; after that they count as stuck in the kernel. */
  static final Duration KILL_WAIT = Duration.ofSeconds(5);

  /** How long the guardian stays to prove the last death before it ends itself. */
  static final Duration LAST_NOTICE_WAIT = Duration.ofSeconds(20);

  private static final Duration ORPHANS_EVERY = Duration.ofSeconds(30);
  private static final Duration SURVIVORS_EVERY = Duration.ofSeconds(1);

  private static final Logger log = LoggerFactory.getLogger(Guardian.class);

  private final AgentLaunch command;
  private final boolean restart;
  private final @Nullable Path pidDirectory;
  private final RestartPauses pauses;
  private final Set<ProcessHandle> survivors = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean rehearsed = new AtomicBoolean();
  private final CountDownLatch stopping = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);
  private @Nullable AgentProcess running;

  /** Only the main thread uses this field; the thread tells the cluster of the last death. */
  private @Nullable Thread notice;

  Guardian(
      AgentLaunch command, boolean restart, RestartPauses pauses, @Nullable Path pidDirectory) {
    this.command = command;
    this.restart = restart;
    this.pauses = pauses;
    this.pidDirectory = pidDirectory;
  }

  /**
   * Runs agents until one ends for good.
   *
   * @return the exit code for this process
   */
  int run() throws InterruptedException {
    try {
      Reaper.adoptOrphans();
      note(PidFile.GUARDIAN, ProcessHandle.current().pid());
      while (stopping.getCount() > 0) {
        long started = System.nanoTime();
        int code = live();
        if (isLast(code)) {
          awaitNotice();
          return stopping.getCount() == 0 ? ExitCode.STOPPED : code;
        }
        Duration pause = pauses.after(Duration.ofNanos(System.nanoTime() - started));
        log.warn("The next agent starts in {}", pause);
        var _ = stopping.await(pause.toMillis(), TimeUnit.MILLISECONDS);
      }
      awaitNotice();
      return ExitCode.STOPPED;
    } finally {
      ended.countDown();
    }
  }

  /**
   * Runs one life of the agent, to its burial. A host can lack processes, threads or memory for a
   * while. Each failure here is tried again, since only the guardian starts this host's agent.
   */
  private int live() throws InterruptedException {
    try {
      AgentProcess agent = start();
      if (agent == null) {
        return ExitCode.STOPPED;
      }
      int code = watch(agent);
      log.info("Agent {} ended with exit code {}", agent.pid(), code);
      bury(agent, code);
      return code;
    } catch (IOException | RuntimeException | Error failure) {
      log.error("The agent could not be started, or not be guarded: {}", failure.toString());
      clear();
      return ExitCode.FAILED;
    }
  }

  /** Ends all descendants of an agent that the guardian cannot guard. */
  private void clear() throws InterruptedException {
    AgentProcess agent = running;
    if (agent != null) {
      agent.kill();
      agent.awaitExit();
    }
    survivors.addAll(Descendants.killAll(KILL_WAIT, survivors));
  }

  /** Writes a pid. When the state directory is full, an old pid must not stay. */
  private void note(String file, long pid) {
    if (pidDirectory == null) {
      return;
    }
    try {
      PidFile.write(pidDirectory, file, pid);
    } catch (IOException failure) {
      log.error("Could not write {} into {}: {}", file, pidDirectory, failure.toString());
      PidFile.remove(pidDirectory, file);
    }
  }

  /** Ends the agent, gently at first, and returns when {@link #run} has ended. */
  void stop() throws InterruptedException {
    AgentProcess agent;
    synchronized (this) {
      stopping.countDown();
      agent = running;
    }
    if (agent != null) {
      agent.terminate();
      if (!agent.awaitExit(STOP_WAIT)) {
        log.warn("The agent did not end within {}; killing it", STOP_WAIT);
        agent.kill();
      }
    }
    ended.await();
  }

  private synchronized @Nullable AgentProcess start() throws IOException {
    if (stopping.getCount() == 0) {
      return null;
    }
    String incarnation = Incarnation.fresh();
    running = AgentProcess.start(command, incarnation, this::guard);
    note(PidFile.AGENT, running.pid());
    log.info("Started agent {}, incarnation {}", running.pid(), incarnation);
    return running;
  }

  private int watch(AgentProcess agent) throws InterruptedException {
    while (!agent.awaitExit(ORPHANS_EVERY)) {
      Descendants.reapOrphans(agent.pid());
    }
    return agent.awaitExit();
  }

  private boolean isLast(int code) {
    return !restart
        || stopping.getCount() == 0
        || code == ExitCode.STOPPED
        || code == ExitCode.CONFIGURATION;
  }

  /** Kills what the agent left running; a thread of its own then tells the cluster. */
  private void bury(AgentProcess agent, int code) throws InterruptedException {
    Set<ProcessHandle> left = Descendants.killAll(KILL_WAIT, survivors);
    survivors.addAll(left);
    Optional<GuardedSession> session = agent.lastSession();
    if (session.isEmpty()) {
      log.info("Agent {} ended before it had a session", agent.pid());
      return;
    }
    DeathNotice last = new DeathNotice(session.get());
    notice = Thread.ofPlatform().name("death-notice").start(() -> announce(last, left, code));
  }

  private void awaitNotice() throws InterruptedException {
    Thread last = notice;
    if (last != null) {
      last.join(LAST_NOTICE_WAIT);
    }
  }

  private void announce(DeathNotice death, Set<ProcessHandle> left, int code) {
    try {
      if (!left.isEmpty()) {
        log.error("Killed, but still held by the kernel: {}; exit code {}", left, code);
        death.closeWithoutProof();
        for (ProcessHandle survivor : left) {
          while (!Descendants.gone(survivor)) {
            Thread.sleep(SURVIVORS_EVERY);
          }
          survivors.remove(survivor);
        }
      }
      death.publish();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void guard(GuardedSession session) {
    Thread.ofPlatform()
        .name("rehearsal")
        .daemon()
        .start(() -> {
          if (rehearsed.compareAndSet(false, true)) {
            DeathNotice.rehearse(session);
          }
          log.info("Guarding {}", session);
        });
  }
}
