package io.quarry.coordinator.sim;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.slf4j.LoggerFactory;

/** The code under test has much to say about what goes wrong, and in a simulation all does. */
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
