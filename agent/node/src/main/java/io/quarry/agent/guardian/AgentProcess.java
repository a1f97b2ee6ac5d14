package io.quarry.agent.guardian;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One life of the agent. A thread of its own reads the agent's session messages until the pipe
 * ends.
 */
final class AgentProcess {
  /** The limit for a descendant that holds the pipe and cannot be killed. */
  private static final Duration LAST_MESSAGES_WAIT = Duration.ofSeconds(1);

  private static final Logger log = LoggerFactory.getLogger(AgentProcess.class);

  private final Process process;
  private final InputStream messages;
  private final Consumer<GuardedSession> onSession;
  private final Thread reader;
  private volatile @Nullable GuardedSession session;

  private AgentProcess(Process process, Consumer<GuardedSession> onSession) {
    this.process = process;
    this.messages = process.getInputStream();
    this.onSession = onSession;
    this.reader = Thread.ofPlatform().name("agent-sessions").daemon().unstarted(this::readMessages);
  }

  /** Call this on a thread that stays: the agent dies with the thread that started it. */
  static AgentProcess start(
      AgentLaunch command, String incarnation, Consumer<GuardedSession> onSession)
      throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(command.words()).redirectError(ProcessBuilder.Redirect.INHERIT);
    builder
        .environment()
        .put(GuardianLink.GUARDIAN_PID, Long.toString(ProcessHandle.current().pid()));
    builder.environment().put(GuardianLink.INCARNATION, incarnation);
    Process process = builder.start();
    try {
      AgentProcess agent = new AgentProcess(process, onSession);
      agent.reader.start();
      return agent;
    } catch (RuntimeException | Error failure) {
      // Without a thread for its messages the guardian could not prove the agent's death.
      process.destroyForcibly().onExit().join();
      throw failure;
    }
  }

  long pid() {
    return process.pid();
  }

  int awaitExit() throws InterruptedException {
    return process.waitFor();
  }

  boolean awaitExit(Duration within) throws InterruptedException {
    return process.waitFor(within.toNanos(), TimeUnit.NANOSECONDS);
  }

  /**
   * Not {@code process.destroy()}, which closes the pipes, too: the end of the lifeline kills the
   * agent.
   */
  void terminate() {
    process.toHandle().destroy();
  }

  void kill() {
    process.toHandle().destroyForcibly();
  }

  /** The last session that the dead agent announced. */
  Optional<GuardedSession> lastSession() throws InterruptedException {
    if (reader.join(LAST_MESSAGES_WAIT)) {
      // When the child exits, Java moves the rest of the pipe into a buffer of the same stream. The
      // reader may have seen the pipe's end just before.
      readMessages();
    }
    return Optional.ofNullable(session);
  }

  private void readMessages() {
    // Not closed: lastSession() reads on.
    @SuppressWarnings("resource")
    DataInputStream in = new DataInputStream(messages);
    try {
      while (true) {
        GuardedSession changed = GuardedSession.readMessage(in);
        session = changed;
        tell(changed);
      }
    } catch (EOFException end) {
      log.debug("The agent's pipe ended");
    } catch (IOException failure) {
      log.warn("The agent's pipe broke: {}", failure.getMessage());
    }
  }

  /** A failing listener must not stop the reading of the next session. */
  private void tell(GuardedSession changed) {
    try {
      onSession.accept(changed);
    } catch (RuntimeException | Error failure) {
      log.warn("{}: {}", changed, failure.toString());
    }
  }
}
