package io.quarry.agent.fix;

import java.io.IOException;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Places where tests stop a whole agent as a real pause would: with {@code
 * -Dquarry.fault.stopAt=<place>} the process sends itself SIGSTOP when it first gets there. Without
 * that property they cost a comparison.
 */
public final class FaultPoints {
  private static final Logger LOG = LoggerFactory.getLogger(FaultPoints.class);
  private static final String STOP_AT = System.getProperty("quarry.fault.stopAt", "");

  /** Set by the first thread that gets there. */
  private static final java.util.concurrent.atomic.AtomicBoolean REACHED =
      new java.util.concurrent.atomic.AtomicBoolean();

  private FaultPoints() {}

  public static void reach(String place) {
    if (!STOP_AT.equals(place) || !REACHED.compareAndSet(false, true)) {
      return;
    }
    LOG.warn("Stopping this process at {}", place);
    try {
      new ProcessBuilder(List.of("kill", "-STOP", Long.toString(ProcessHandle.current().pid())))
          .start()
          .waitFor();
    } catch (IOException e) {
      LOG.error("Could not stop at {}", place, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
