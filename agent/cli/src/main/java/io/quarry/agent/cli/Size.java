package io.quarry.agent.cli;

import io.quarry.common.model.Limits;
import java.math.BigDecimal;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A size as users type it: {@code 10G}, {@code 512M}, {@code 1.5TiB} or bytes, in binary units. */
record Size(long bytes) {
  private static final Pattern FORM =
      Pattern.compile("(\\d{1,19}(?:\\.\\d{1,6})?)([KMGTP]?)(?:iB)?", Pattern.CASE_INSENSITIVE);
  private static final String UNITS = "KMGTP";

  static Size parse(String text) {
    Matcher form = FORM.matcher(text);
    if (!form.matches() || text.equalsIgnoreCase(form.group(1) + "iB")) {
      throw new TypeConversionException(
          "'" + text + "' is not a size: give bytes, or a number with K, M, G, T or P");
    }
    int power = UNITS.indexOf(form.group(2).toUpperCase(Locale.ROOT)) + 1;
    BigDecimal unit = BigDecimal.valueOf(form.group(2).isEmpty() ? 1 : 1L << (10 * power));
    try {
      return new Size(new BigDecimal(form.group(1)).multiply(unit).longValueExact());
    } catch (ArithmeticException e) {
      throw new TypeConversionException(
          "'" + text + "' is not a whole number of bytes below 8 EiB");
    }
  }

  /** The size of an image, which has limits. */
  static final class OfImage implements ITypeConverter<Size> {
    @Override
    public Size convert(String text) {
      Size size = parse(text);
      if (size.bytes() < Limits.SECTOR_BYTES
          || size.bytes() % Limits.SECTOR_BYTES != 0
          || size.bytes() > Limits.IMAGE_BYTES_MAX) {
        throw new TypeConversionException(
            "'%s' is no size for an image: give a multiple of %d bytes, at most %s"
                .formatted(text, Limits.SECTOR_BYTES, Units.bytes(Limits.IMAGE_BYTES_MAX)));
      }
      return size;
    }
  }

  static final class Converter implements ITypeConverter<Size> {
    @Override
    public Size convert(String text) {
      return parse(text);
    }
  }
}
