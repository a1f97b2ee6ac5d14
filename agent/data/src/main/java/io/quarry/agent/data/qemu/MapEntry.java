package io.quarry.agent.data.qemu;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * One stretch of {@code qemu-img map}, in bytes.
 *
 * @param depth 0 for the image itself, 1 for its backing file, and so on
 * @param present whether some file of the chain has an entry for the stretch; without one it reads
 *     as zeros
 * @param zero whether the stretch reads as zeros
 * @param data whether the stretch occupies space
 * @param fileOffset where the bytes are, uncompressed and unencrypted, in the file at this depth
 */
public record MapEntry(
    long start,
    long length,
    int depth,
    boolean present,
    boolean zero,
    boolean data,
    OptionalLong fileOffset) {
  public long end() {
    return start + length;
  }

  /** Reads an array of entries as a stream, since there may be one for each cluster. */
  static List<MapEntry> read(JsonParser json) throws IOException {
    List<MapEntry> entries = new ArrayList<>();
    if (json.nextToken() != JsonToken.START_ARRAY) {
      throw new IOException("no array");
    }
    while (json.nextToken() == JsonToken.START_OBJECT) {
      entries.add(readOne(json));
    }
    return List.copyOf(entries);
  }

  private static MapEntry readOne(JsonParser json) throws IOException {
    long start = -1;
    long length = -1;
    int depth = -1;
    boolean present = false;
    boolean zero = false;
    boolean data = false;
    OptionalLong offset = OptionalLong.empty();
    for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
      json.nextToken();
      switch (name) {
        case "start" -> start = json.getLongValue();
        case "length" -> length = json.getLongValue();
        case "depth" -> depth = json.getIntValue();
        case "present" -> present = json.getBooleanValue();
        case "zero" -> zero = json.getBooleanValue();
        case "data" -> data = json.getBooleanValue();
        case "offset" -> offset = OptionalLong.of(json.getLongValue());
        default -> json.skipChildren();
      }
    }
    if (start < 0 || length <= 0 || depth < 0) {
      throw new IOException("incomplete entry");
    }
    return new MapEntry(start, length, depth, present, zero, data, offset);
  }
}
