package io.quarry.agent.cli;

import io.quarry.common.model.Limits;
import io.quarry.common.model.SizeText;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A size as users type it. */
record Size(long bytes) {
  static Size parse(String text) {
    try {
      return new Size(SizeText.parse(text));
    } catch (SizeText.MalformedException e) {
      throw new TypeConversionException(e.getMessage());
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
