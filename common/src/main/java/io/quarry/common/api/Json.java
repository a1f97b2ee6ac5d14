package io.quarry.common.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import io.quarry.common.model.Limits;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * JSON as every part of Quarry writes it: camelCase, times in RFC 3339 UTC, durations in ISO 8601,
 * absent rather than null. Unknown fields are refused. No digit of a number in userData gets lost.
 */
public final class Json {
  /** Thread-safe; do not configure it further. */
  public static final JsonMapper MAPPER =
      JsonMapper.builder()
          .addModule(new JavaTimeModule())
          .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
          .disable(SerializationFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .defaultPropertyInclusion(
              JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, JsonInclude.Include.ALWAYS))
          .build();

  /**
   * Reads JSON from other processes. The limits of {@link #MAPPER} are wider, because logs of older
   * versions may hold deeper values.
   */
  public static final ObjectReader RECEIVED =
      MAPPER
          .reader()
          .with(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(Limits.JSON_DEPTH_MAX)
                          .build())
                  .build());

  private Json() {}

  /** The size of a value as JSON text, in bytes of UTF-8. */
  public static long bytes(Object value) throws JsonProcessingException {
    return bytes(MAPPER, value);
  }

  /** The size of a value as JSON text of that mapper, in bytes of UTF-8. */
  public static long bytes(JsonMapper mapper, Object value) throws JsonProcessingException {
    ByteCounter counter = new ByteCounter();
    try {
      mapper.writeValue(counter, value);
    } catch (JsonProcessingException e) {
      throw e;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return counter.bytes();
  }
}
