package io.quarry.agent.data.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.OptionalLong;

/**
 * One stretch of {@code qemu-img map}, in bytes.
 *
 * @param depth 0 for the image itself, 1 for its backing file, and so on
 * @param zero it reads as zeros
 * @param data it occupies space
 * @param fileOffset where the bytes are, uncompressed and unencrypted, in the file at this depth
 */
public record MapEntry(
    long start, long length, int depth, boolean zero, boolean data, OptionalLong fileOffset) {
  static MapEntry of(JsonNode entry) {
    JsonNode offset = entry.path("offset");
    return new MapEntry(
        entry.required("start").asLong(),
        entry.required("length").asLong(),
        entry.required("depth").asInt(),
        entry.required("zero").asBoolean(),
        entry.required("data").asBoolean(),
        offset.isNumber() ? OptionalLong.of(offset.asLong()) : OptionalLong.empty());
  }
}
