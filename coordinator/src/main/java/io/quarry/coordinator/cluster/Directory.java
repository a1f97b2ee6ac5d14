package io.quarry.coordinator.cluster;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;

/** A directory of znodes of one kind: its path, and the form of its children's content. */
record Directory<T>(String path, Class<T> type, ObjectMapper mapper) {
  /**
   * ZooKeeper takes 1 MiB. Quarry's content stays far below, so as not to slow an ensemble down.
   */
  static final int CONTENT_BYTES_MAX = 64 * 1024;

  String child(String name) {
    return Znodes.join(path, name);
  }

  byte[] encode(T value) {
    try {
      byte[] content = mapper.writeValueAsBytes(value);
      if (content.length > CONTENT_BYTES_MAX) {
        throw new IllegalArgumentException(
            "%d bytes for %s, at most %d are allowed"
                .formatted(content.length, path, CONTENT_BYTES_MAX));
      }
      return content;
    } catch (JacksonException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  T decode(byte[] content) throws IOException {
    T value = mapper.readValue(content, type);
    if (value == null) {
      throw new IOException("null is not a " + type.getSimpleName());
    }
    return value;
  }
}
