package io.quarry.coordinator.log;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The names in a repository's log directory. */
final class Names {
  private static final Pattern RECORD = Pattern.compile("(\\d{16})\\.record");
  private static final Pattern CHECKPOINT = Pattern.compile("(\\d{16})\\.checkpoint");

  private static final int DIGITS = 16;

  /** No record has this number. */
  static final long NONE = -1;

  private Names() {}

  static String record(long sequence) {
    return padded(sequence, DIGITS) + ".record";
  }

  static String checkpoint(long sequence) {
    return padded(sequence, DIGITS) + ".checkpoint";
  }

  /** With zeros before it, so that names sort as their numbers do. */
  static String padded(long number, int digits) {
    String text = Long.toString(number);
    return "0".repeat(digits - text.length()) + text;
  }

  /** The record's number, or {@link #NONE} when the name is no record's. */
  static long recordNumber(String name) {
    return number(RECORD.matcher(name));
  }

  /** The number of the last record a checkpoint covers, or {@link #NONE}. */
  static long checkpointNumber(String name) {
    return number(CHECKPOINT.matcher(name));
  }

  private static long number(Matcher matcher) {
    return matcher.matches() ? Long.parseLong(matcher.group(1)) : NONE;
  }
}
