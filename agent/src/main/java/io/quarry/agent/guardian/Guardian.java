package io.quarry.agent.guardian;

import io.quarry.agent.data.os.Reaper;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts the agent, waits for its end, buries it, starts the next one. The main thread does all
 * that; {@link #stop} may come from another.
 */
final class Guardian {
  /** How long an agent may take to end after SIGTERM before it is killed. */
  static final Duration STOP_WAIT = Duration.ofSeconds(20);

  /** How long killed descendants may take to go; after that they count as stuck in the kernel. */
  static final Duration KILL_WAIT = Duration.ofSeconds(5);

  /** How long the guardian stays to prove the last death before it ends itself. */
  static final Duration LAST_NOTICE_WAIT = Duration.ofSeconds(20);

  private static final Duration ORPHANS_EVERY = Duration.ofSeconds(30);
  private static final Duration SURVIVORS_EVERY = Duration.ofSeconds(1);

  private static final Logger log = LoggerFactory.getLogger(Guardian.class);

  private final AgentCommand command;
  private final boolean restart;
  private final @Nullable Path pidDirectory;
  private final RestartPauses pauses;
  private final Set<ProcessHandle> survivors = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean rehearsed = new AtomicBoolean();
  private final CountDownLatch stopping = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);
  private @Nullable AgentProcess running;

  Guardian(
      AgentCommand command, boolean restart, RestartPauses pauses, @Nullable Path pidDirectory) {
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
  int run() throws IOException, InterruptedException {
    try {
      Reaper.adoptOrphans();
      if (pidDirectory != null) {
        PidFile.write(pidDirectory, PidFile.GUARDIAN, ProcessHandle.current().pid());
      }
      while (true) {
        long started = System.nanoTime();
        AgentProcess agent = start();
        if (agent == null) {
          return ExitCode.STOPPED;
        }
        int code = watch(agent);
        Thread notice = bury(agent, code);
        Duration pause = pauses.after(Duration.ofNanos(System.nanoTime() - started));
        if (isLast(code)) {
          notice.join(LAST_NOTICE_WAIT);
          return stopping.getCount() == 0 ? ExitCode.STOPPED : code;
        }
        log.warn("The agent ended with exit code {}; the next starts in {}", code, pause);
        if (stopping.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
          notice.join(LAST_NOTICE_WAIT);
          return ExitCode.STOPPED;
        }
      }
    } finally {
      ended.countDown();
    }
  }

  /** Ends the agent, gently at first, and returns when {@link #run} is through. */
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
    if (pidDirectory != null) {
      PidFile.write(pidDirectory, PidFile.AGENT, running.pid());
    }
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

  /** Kills what the agent left, here and now; a thread of its own then tells the cluster. */
  private Thread bury(AgentProcess agent, int code) throws InterruptedException {
    Set<ProcessHandle> left = Descendants.killAll(KILL_WAIT, survivors);
    survivors.addAll(left);
    return agent
        .lastSession()
        .map(DeathNotice::new)
        .map(notice ->
            Thread.ofPlatform().name("death-notice").start(() -> announce(notice, left, code)))
        .orElseGet(() -> {
          log.info("Agent {} ended before it had a session", agent.pid());
          return Thread.ofPlatform().start(() -> {});
        });
  }

  private void announce(DeathNotice notice, Set<ProcessHandle> left, int code) {
    try {
      if (!left.isEmpty()) {
        log.error("Killed, but still held by the kernel: {}; exit code {}", left, code);
        notice.closeWithoutProof();
        for (ProcessHandle survivor : left) {
          while (!Descendants.gone(survivor)) {
            Thread.sleep(SURVIVORS_EVERY);
          }
          survivors.remove(survivor);
        }
      }
      notice.publish();
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
