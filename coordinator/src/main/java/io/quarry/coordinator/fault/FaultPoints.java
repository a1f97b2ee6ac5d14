package io.quarry.coordinator.fault;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Places where tests stop a whole agent as a real pause would: with {@code
 * -Dquarry.fault.stopAt=<place>} the process sends itself SIGSTOP when it first gets there, or,
 * with {@code -Dquarry.fault.armedBy=<file>}, when it first gets there while that file exists.
 * Without the first property they cost a comparison.
 */
public final class FaultPoints {
  private static final Logger LOG = LoggerFactory.getLogger(FaultPoints.class);
  private static final String STOP_AT = System.getProperty("quarry.fault.stopAt", "");
  private static final String ARMED_BY = System.getProperty("quarry.fault.armedBy", "");

  /** Set by the first thread that gets there. */
  private static final AtomicBoolean REACHED = new AtomicBoolean();

  private FaultPoints() {}

  public static void reach(String place) {
    if (!STOP_AT.equals(place) || !armed() || !REACHED.compareAndSet(false, true)) {
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

  private static boolean armed() {
    return ARMED_BY.isEmpty() || Files.exists(Path.of(ARMED_BY));
  }
}
