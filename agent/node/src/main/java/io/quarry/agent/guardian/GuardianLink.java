package io.quarry.agent.guardian;

import io.quarry.coordinator.cluster.ProofOfDeath;
import io.quarry.coordinator.cluster.SessionInfo;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent's end of the two pipes to its guardian. One pipe carries sessions to the guardian. The
 * other carries no data: its end means that the guardian has ended. Then the agent halts at once,
 * since without a guardian no process could prove its death.
 */
public final class GuardianLink {
  static final String GUARDIAN_PID = "QUARRY_GUARDIAN_PID";
  static final String INCARNATION = "QUARRY_INCARNATION";

  /** Descriptors of the agent, opened by the shell words in {@link AgentLaunch}. */
  static final int LIFELINE_DESCRIPTOR = 3;

  static final int SESSIONS_DESCRIPTOR = 4;

  private static final Logger log = LoggerFactory.getLogger(GuardianLink.class);

  private final String incarnation;
  private final OutputStream sessions;

  private GuardianLink(String incarnation, OutputStream sessions) {
    this.incarnation = incarnation;
    this.sessions = sessions;
  }

  /**
   * Links this process to the guardian that started it; empty when no guardian did. Call this once,
   * before any other step of the start: it does not return if the guardian is gone.
   */
  public static Optional<GuardianLink> fromEnvironment() {
    Map<String, String> environment = System.getenv();
    String guardian = environment.get(GUARDIAN_PID);
    String incarnation = environment.get(INCARNATION);
    if (guardian == null || incarnation == null) {
      return Optional.empty();
    }
    // The parent-death signal does not fire for a guardian that died before this process asked for
    // the signal.
    long parent = ProcessHandle.current().parent().map(ProcessHandle::pid).orElse(0L);
    if (parent != Long.parseLong(guardian)) {
      halt("started by guardian " + guardian + " but the parent is " + parent);
    }
    Thread.ofPlatform().name("guardian-lifeline").daemon().start(GuardianLink::watchLifeline);
    try {
      return Optional.of(
          new GuardianLink(
              incarnation, new FileOutputStream("/proc/self/fd/" + SESSIONS_DESCRIPTOR)));
    } catch (IOException failure) {
      throw new UncheckedIOException("No pipe to the guardian", failure);
    }
  }

  /** Names this life of the agent: new at each start, growing in text order on one host. */
  public String incarnation() {
    return incarnation;
  }

  /**
   * Tells the guardian which session is the agent's. Call this for every new session before the
   * agent creates any ephemeral znode. When the method returns, the guardian has the message, even
   * if this process is killed in the next instant.
   *
   * @param proof what to create once no process of the agent lives
   */
  public synchronized void sessionChanged(SessionInfo session, ProofOfDeath proof) {
    try {
      sessions.write(new GuardedSession(session, proof, incarnation).toMessage());
    } catch (IOException failure) {
      halt("the pipe to the guardian broke: " + failure.getMessage());
    }
  }

  private static void watchLifeline() {
    try (InputStream lifeline = new FileInputStream("/proc/self/fd/" + LIFELINE_DESCRIPTOR)) {
      while (lifeline.read() >= 0) {
        // The pipe carries no data; only its end counts.
      }
      halt("the guardian is gone");
    } catch (IOException | RuntimeException | Error failure) {
      // Without this thread the agent would outlive its guardian.
      halt("the pipe to the guardian broke: " + failure.getMessage());
    }
  }

  private static void halt(String reason) {
    log.error("The agent ends at once: {}", reason);
    Runtime.getRuntime().halt(ExitCode.GUARDIAN_LOST);
  }
}
