package io.quarry.common.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.common.model.Limits;

/**
 * The limits of callers' own data. The agent that takes a call checks them. The planner checks them
 * again, because another agent may have sent the request.
 */
public final class UserData {
  private static final String NAME = "userData";

  private UserData() {}

  /** Refuses data that is too large, too deep, or cannot be written as JSON and read again. */
  public static void check(JsonNode userData) {
    if (!userData.isObject()) {
      throw StorageException.invalid(
          NAME, "userData is not a JSON object", "give userData as a JSON object");
    }
    check(userData, 1);
    long bytes;
    try {
      bytes = Json.bytes(userData);
    } catch (JsonProcessingException e) {
      throw StorageException.invalid(
          NAME,
          "userData cannot be written as JSON: " + e.getOriginalMessage(),
          "remove characters that are no Unicode text");
    }
    if (bytes > Limits.USER_DATA_BYTES_MAX) {
      throw new StorageException(
          ErrorCode.PAYLOAD_TOO_LARGE,
          "userData takes " + bytes + " bytes of JSON",
          NAME,
          "keep it within " + Limits.USER_DATA_BYTES_MAX + " bytes");
    }
  }

  private static void check(JsonNode value, int depth) {
    if (value.isNumber()) {
      // A number may be written longer than it was read: 1e9 with 998 digits before the e, for
      // instance.
      int chars = value.asText().length();
      if (chars > Limits.USER_DATA_NUMBER_CHARS_MAX) {
        throw StorageException.invalid(
            NAME,
            "userData has a number of " + chars + " characters",
            "give numbers of at most "
                + Limits.USER_DATA_NUMBER_CHARS_MAX
                + " characters, and longer ones as text");
      }
    } else if (value.isContainerNode()) {
      if (depth > Limits.USER_DATA_DEPTH_MAX) {
        throw StorageException.invalid(
            NAME,
            "userData is nested deeper than " + Limits.USER_DATA_DEPTH_MAX + " levels",
            "nest objects and lists at most " + Limits.USER_DATA_DEPTH_MAX + " levels deep");
      }
      for (JsonNode inner : value) {
        check(inner, depth + 1);
      }
    }
  }
}
