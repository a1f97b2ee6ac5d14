package io.quarry.agent.guardian;

import java.security.SecureRandom;
import java.util.HexFormat;

/**
 * The name of one life of one agent. Proofs of death, claims and the election depend on this name
 * alone. So two lives must never share one, even on two hosts that begin in the same millisecond.
 */
public final class Incarnation {
  private static final int TIME_DIGITS = 12;
  private static final SecureRandom RANDOM = new SecureRandom();

  private Incarnation() {}

  /** Begins with the time, so that operators see which life came first. */
  public static String fresh() {
    HexFormat hex = HexFormat.of();
    return hex.toHexDigits(System.currentTimeMillis(), TIME_DIGITS)
        + "-"
        + hex.toHexDigits(RANDOM.nextLong());
  }
}
