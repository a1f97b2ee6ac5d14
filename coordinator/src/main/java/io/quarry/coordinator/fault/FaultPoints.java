package io.quarry.coordinator.fault;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Places where tests stop a whole agent as a real pause would. With {@code
 * -Dquarry.fault.stopAt=<place>} the process sends itself SIGSTOP when it first reaches the place.
 * With {@code -Dquarry.fault.armedBy=<file>} it does so only while that file exists. With {@code
 * -Dquarry.fault.hangAt=<place>} each thread that reaches the place hangs while that file exists,
 * as on a storage that does not answer. Tests within the process may observe each place. A place
 * that no test uses costs two comparisons and one read.
 */
public final class FaultPoints {
  private static final Logger LOG = LoggerFactory.getLogger(FaultPoints.class);
  private static final String STOP_AT = System.getProperty("quarry.fault.stopAt", "");
  private static final String HANG_AT = System.getProperty("quarry.fault.hangAt", "");
  private static final String ARMED_BY = System.getProperty("quarry.fault.armedBy", "");

  private static final long HANG_TURN_MILLIS = 50;

  /** Set by the first thread that reaches the place. */
  private static final AtomicBoolean REACHED = new AtomicBoolean();

  private static final AtomicReference<@Nullable Consumer<String>> OBSERVER =
      new AtomicReference<>();

  private FaultPoints() {}

  /**
   * @param observer called at each place, on the thread that reaches it; may throw an error there.
   *     Null for none
   */
  public static void observe(@Nullable Consumer<String> observer) {
    OBSERVER.set(observer);
  }

  public static void reach(String place) {
    Consumer<String> observer = OBSERVER.get();
    if (observer != null) {
      observer.accept(place);
    }
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
