package io.quarry.common.model;

import java.math.BigDecimal;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A size as people type it: {@code 10G}, {@code 512M}, {@code 1.5TiB} or bytes, in binary units.
 */
public final class SizeText {
  private static final Pattern FORM =
      Pattern.compile("(\\d{1,19}(?:\\.\\d{1,6})?)([KMGTP]?)(?:iB)?", Pattern.CASE_INSENSITIVE);
  private static final String UNITS = "KMGTP";

  private SizeText() {}

  /** A text that is no size; the message says why. */
  public static final class MalformedException extends Exception {
    private static final long serialVersionUID = 1L;

    private MalformedException(String message) {
      super(message);
    }
  }

  /** The bytes of a size. */
  public static long parse(String text) throws MalformedException {
    Matcher form = FORM.matcher(text);
    if (!form.matches() || text.equalsIgnoreCase(form.group(1) + "iB")) {
      throw new MalformedException(
          "'" + text + "' is not a size: give bytes, or a number with K, M, G, T or P");
    }
    int power = UNITS.indexOf(form.group(2).toUpperCase(Locale.ROOT)) + 1;
    BigDecimal unit = BigDecimal.valueOf(form.group(2).isEmpty() ? 1 : 1L << (10 * power));
    try {
      return new BigDecimal(form.group(1)).multiply(unit).longValueExact();
    } catch (ArithmeticException e) {
      throw new MalformedException("'" + text + "' is not a whole number of bytes below 8 EiB");
    }
  }
}
