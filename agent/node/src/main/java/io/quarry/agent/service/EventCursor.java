package io.quarry.agent.service;

import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.CommitHistory.Mark;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The id of an event: the commit of each repository up to which a watcher has been told. Any agent
 * understands the id, whatever names it has for the repositories. To callers the id is opaque.
 *
 * @param marks by repository key
 */
record EventCursor(SortedMap<String, Mark> marks) {
  /** An id has to fit into a header, and an id with so many repositories does. */
  static final int REPOSITORIES_MAX = 128;

  static final EventCursor NOTHING = new EventCursor(new TreeMap<>());

  private static final byte VERSION = 1;
  private static final int HASH_BYTES = Mark.HASH_CHARS / 2;
  private static final int MARK_BYTES = 3 * Long.BYTES + HASH_BYTES;

  EventCursor {
    marks = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(marks));
  }

  @Nullable Mark mark(String key) {
    return marks.get(key);
  }

  EventCursor with(String key, Mark mark) {
    SortedMap<String, Mark> more = new TreeMap<>(marks);
    more.put(key, mark);
    return new EventCursor(more);
  }

  String text() {
    ByteBuffer bytes = ByteBuffer.allocate(1 + marks.size() * MARK_BYTES).put(VERSION);
    for (Map.Entry<String, Mark> entry : marks.entrySet()) {
      UUID key = UUID.fromString(entry.getKey());
      bytes.putLong(key.getMostSignificantBits()).putLong(key.getLeastSignificantBits());
      bytes.putLong(entry.getValue().sequence());
      byte[] hash = HexFormat.of().parseHex(entry.getValue().hash());
      bytes.put(java.util.Arrays.copyOf(hash, HASH_BYTES));
    }
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes.array());
  }

  static EventCursor parse(String text) {
    try {
      ByteBuffer bytes = ByteBuffer.wrap(Base64.getUrlDecoder().decode(text));
      if (bytes.get() != VERSION || bytes.remaining() > REPOSITORIES_MAX * MARK_BYTES) {
        throw unknown(text);
      }
      SortedMap<String, Mark> marks = new TreeMap<>();
      while (bytes.hasRemaining()) {
        String key = new UUID(bytes.getLong(), bytes.getLong()).toString();
        long sequence = bytes.getLong();
        byte[] hash = new byte[HASH_BYTES];
        bytes.get(hash);
        if (sequence < 0) {
          throw unknown(text);
        }
        marks.put(
            key, sequence == 0 ? Mark.START : new Mark(sequence, HexFormat.of().formatHex(hash)));
      }
      return new EventCursor(marks);
    } catch (IllegalArgumentException | BufferUnderflowException e) {
      throw unknown(text);
    }
  }

  private static StorageException unknown(String text) {
    return StorageException.invalid(
        "since",
        "\"" + (text.length() > 40 ? text.substring(0, 40) + "…" : text) + "\" is no event's id",
        "give the id of an event as it was received, 0 for all that the logs have, or nothing");
  }
}
