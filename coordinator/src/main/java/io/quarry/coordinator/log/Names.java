package io.quarry.coordinator.log;

/** The names in a repository's log directory. */
public final class Names {
  private static final String RECORD = ".record";
  private static final String CHECKPOINT = ".checkpoint";
  private static final int DIGITS = 16;
  private static final int BASE = 10;

  /** No record has this number. */
  public static final long NONE = -1;

  private Names() {}

  public static String record(long sequence) {
    return padded(sequence, DIGITS) + RECORD;
  }

  public static String checkpoint(long sequence) {
    return padded(sequence, DIGITS) + CHECKPOINT;
  }

  /** Pads with zeros, so that names sort as their numbers do. */
  static String padded(long number, int digits) {
    String text = Long.toString(number);
    return "0".repeat(digits - text.length()) + text;
  }

  /** The record's number, or {@link #NONE} for other names. */
  public static long recordNumber(String name) {
    return number(name, RECORD);
  }

  /** The number of the last record a checkpoint covers, or {@link #NONE}. */
  public static long checkpointNumber(String name) {
    return number(name, CHECKPOINT);
  }

  private static long number(String name, String kind) {
    if (name.length() != DIGITS + kind.length() || !name.endsWith(kind)) {
      return NONE;
    }
    long number = 0;
    for (int i = 0; i < DIGITS; i++) {
      int digit = name.charAt(i) - '0';
      if (digit < 0 || digit >= BASE) {
        return NONE;
      }
      number = number * BASE + digit;
    }
    return number;
  }
}
