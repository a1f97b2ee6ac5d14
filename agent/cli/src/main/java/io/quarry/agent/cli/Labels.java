package io.quarry.agent.cli;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Arrays;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads an enum constant by its word in the JSON, in upper or lower case. */
class Labels<E extends Enum<E>> implements ITypeConverter<E> {
  private final Class<E> type;

  Labels(Class<E> type) {
    this.type = type;
  }

  @Override
  public E convert(String text) {
    for (E value : type.getEnumConstants()) {
      if (label(value).equalsIgnoreCase(text) || value.name().equalsIgnoreCase(text)) {
        return value;
      }
    }
    throw new TypeConversionException(
        "'%s' is none of %s"
            .formatted(
                text,
                String.join(
                    ", ", Arrays.stream(type.getEnumConstants()).map(Labels::label).toList())));
  }

  static String label(Enum<?> value) {
    try {
      JsonProperty name =
          value.getDeclaringClass().getField(value.name()).getAnnotation(JsonProperty.class);
      return name == null ? value.name().toLowerCase(Locale.ROOT) : name.value();
    } catch (NoSuchFieldException e) {
      throw new AssertionError(e);
    }
  }

  static final class OfKind extends Labels<io.quarry.common.model.ImageKind> {
    OfKind() {
      super(io.quarry.common.model.ImageKind.class);
    }
  }

  static final class OfState extends Labels<io.quarry.common.model.ImageState> {
    OfState() {
      super(io.quarry.common.model.ImageState.class);
    }
  }

  static final class OfFixType extends Labels<io.quarry.common.model.FixType> {
    OfFixType() {
      super(io.quarry.common.model.FixType.class);
    }
  }

  static final class OfStrategy extends Labels<io.quarry.common.model.Strategy> {
    OfStrategy() {
      super(io.quarry.common.model.Strategy.class);
    }
  }
}
