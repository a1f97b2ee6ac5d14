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
 * with {@code -Dquarry.fault.armedBy=<file>}, when it first gets there while that file exists. With
 * {@code -Dquarry.fault.hangAt=<place>} whichever thread gets there while that file exists hangs
 * for as long, as on a storage that does not answer. Without the properties they cost two
 * comparisons.
 */
public final class FaultPoints {
  private static final Logger LOG = LoggerFactory.getLogger(FaultPoints.class);
  private static final String STOP_AT = System.getProperty("quarry.fault.stopAt", "");
  private static final String HANG_AT = System.getProperty("quarry.fault.hangAt", "");
  private static final String ARMED_BY = System.getProperty("quarry.fault.armedBy", "");

  private static final long HANG_TURN_MILLIS = 50;

  /** Set by the first thread that gets there. */
  private static final AtomicBoolean REACHED = new AtomicBoolean();

  private FaultPoints() {}

  public static void reach(String place) {
    if (HANG_AT.equals(place)) {
      hang(place);
    }
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

  private static void hang(String place) {
    try {
      for (int turn = 0; !ARMED_BY.isEmpty() && armed(); turn++) {
        if (turn == 0) {
          LOG.warn("Hanging at {}", place);
        }
        Thread.sleep(HANG_TURN_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static boolean armed() {
    return ARMED_BY.isEmpty() || Files.exists(Path.of(ARMED_BY));
  }
}
