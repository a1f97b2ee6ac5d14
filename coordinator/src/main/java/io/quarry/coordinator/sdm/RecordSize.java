package io.quarry.coordinator.sdm;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.coordinator.plan.Change;

/**
 * About how many bytes something will take in a record, told without encoding it. Callers' data is
 * the only thing in a change that can be long; its text counts a byte per character.
 */
final class RecordSize {
  private static final int CHANGE_BYTES = 512;
  private static final int VALUE_BYTES = 8;

  private RecordSize() {}

  static long of(Change change) {
    return change instanceof Change.PutImage put
        ? CHANGE_BYTES + of(put.image().userData())
        : CHANGE_BYTES;
  }

  private static long of(JsonNode node) {
    long bytes = VALUE_BYTES;
    if (node.isTextual()) {
      bytes += node.textValue().length();
    }
    for (var field : node.properties()) {
      bytes += VALUE_BYTES + field.getKey().length() + of(field.getValue());
    }
    if (node.isArray()) {
      for (JsonNode element : node) {
        bytes += of(element);
      }
    }
    return bytes;
  }
}
