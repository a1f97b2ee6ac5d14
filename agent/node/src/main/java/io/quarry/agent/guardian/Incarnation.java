package io.quarry.agent.guardian;

import java.security.SecureRandom;
import java.util.HexFormat;

/**
 * The name of one life of one agent. Proofs of death, claims and the election go by it alone, so no
 * two lives may share one, on no two hosts, even if both begin in the same millisecond.
 */
public final class Incarnation {
  private static final int TIME_DIGITS = 12;
  private static final SecureRandom RANDOM = new SecureRandom();

  private Incarnation() {}

  /** Begins with the time, so that people see which life came first. */
  public static String fresh() {
    HexFormat hex = HexFormat.of();
    return hex.toHexDigits(System.currentTimeMillis(), TIME_DIGITS)
        + "-"
        + hex.toHexDigits(RANDOM.nextLong());
  }
}
