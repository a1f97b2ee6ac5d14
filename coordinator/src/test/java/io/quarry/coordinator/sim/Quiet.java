package io.quarry.coordinator.sim;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.slf4j.LoggerFactory;

/**
 * Silences the logs: in a simulation nearly everything fails, and the code under test logs each
 * failure.
 */
public final class Quiet implements AutoCloseable {
  private final Logger log = (Logger) LoggerFactory.getLogger("io.quarry");
  private final Level usual = log.getLevel();

  public Quiet() {
    log.setLevel(Level.OFF);
  }

  @Override
  public void close() {
    log.setLevel(usual);
  }
}
