package io.quarry.coordinator.log;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The names in a repository's log directory. */
final class Names {
  private static final Pattern RECORD = Pattern.compile("(\\d{16})\\.record");
  private static final Pattern CHECKPOINT = Pattern.compile("(\\d{16})\\.checkpoint");

  /** No record has this number. */
  static final long NONE = -1;

  private Names() {}

  static String record(long sequence) {
    return String.format(Locale.ROOT, "%016d.record", sequence);
  }

  static String checkpoint(long sequence) {
    return String.format(Locale.ROOT, "%016d.checkpoint", sequence);
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
