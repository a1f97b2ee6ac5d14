package io.quarry.agent.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.Limits;
import java.io.IOException;
import java.io.UncheckedIOException;

/** Reads and writes JSON for the server. */
final class JsonText {
  /** Refuses a field that is given twice, since one value would silently win. */
  private static final ObjectReader READER =
      Json.RECEIVED.forType(JsonNode.class).with(StreamReadFeature.STRICT_DUPLICATE_DETECTION);

  private JsonText() {}

  static JsonNode read(byte[] text) {
    try {
      return READER.readValue(text);
    } catch (JsonEOFException e) {
      throw malformed("The request body ends in the middle of a JSON value.");
    } catch (StreamConstraintsException e) {
      throw malformed(
          "The request body is nested deeper than "
              + Limits.JSON_DEPTH_MAX
              + " levels, or has too long a number or name.");
    } catch (JsonProcessingException e) {
      String problem = SchemaCheck.shortened(e.getOriginalMessage());
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

  static long bytes(JsonNode value) {
    try {
      return Json.bytes(value);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static StorageException malformed(String message) {
    return StorageException.invalid(Contract.BODY, message, "Send one JSON object in UTF-8.");
  }
}
