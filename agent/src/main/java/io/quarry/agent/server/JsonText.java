package io.quarry.agent.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.io.UncheckedIOException;

/** JSON at the server's edge. */
final class JsonText {
  /** userData is kept as it is: no digit of a number may get lost, no field be given twice. */
  private static final ObjectReader READER =
      Json.MAPPER
          .readerFor(JsonNode.class)
          .with(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .with(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .without(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES);

  private JsonText() {}

  static JsonNode read(byte[] text) {
    try {
      return READER.readValue(text);
    } catch (JsonEOFException e) {
      throw malformed("The request body ends in the middle of a JSON value.");
    } catch (StreamConstraintsException e) {
      throw malformed("The request body is nested too deeply or has too long a number or name.");
    } catch (JsonProcessingException e) {
      String problem = Shape.shortened(e.getOriginalMessage());
      var place = e.getLocation();
      String where =
          place == null ? "" : " at line " + place.getLineNr() + ", column " + place.getColumnNr();
      throw malformed("The request body is not JSON" + where + ": " + problem);
    } catch (IOException e) {
      throw malformed("The request body is not JSON in UTF-8.");
    }
  }

  static byte[] write(Object value) {
    try {
      return Json.MAPPER.writeValueAsBytes(value);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  static int bytes(JsonNode value) {
    return write(value).length;
  }

  private static StorageException malformed(String message) {
    return StorageException.invalid(Contract.BODY, message, "Send one JSON object in UTF-8.");
  }
}
