package io.quarry.coordinator.log;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import io.quarry.common.api.Json;
import io.quarry.coordinator.plan.Change;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * Records as bytes: a header line {@code <magic> <sequence> <sha-256 of the rest>}, then one line
 * of JSON. The next record names the same hash as its previous. So a reader finds a flipped bit
 * anywhere, and a record of another history.
 */
final class Codec {
  private static final String RECORD_MAGIC = "QUARRY-RECORD-1";

  /** The width is fixed, so that a reader can take the header alone. */
  private static final int HASH_CHARS = 64;

  private static final int NUMBER_CHARS = 16;

  static final int RECORD_HEADER_BYTES = headerBytes(RECORD_MAGIC);

  /**
   * Unknown fields of a record are refused on purpose: an older program must not continue from a
   * state that it only half understands. New fields come with a {@link FeatureCheck feature}.
   * Jackson accepts unknown fields beside {@code @JsonUnwrapped}, so the parts of a fix or a volume
   * are not written with that annotation.
   */
  static final JsonMapper MAPPER =
      Json.MAPPER
          .rebuild()
          .disable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .addModule(new SimpleModule("log").addDeserializer(Instant.class, new Instants()))
          .build();

  private Codec() {}

  @SuppressWarnings("ArrayRecordComponent") // private to this package, and never changed
  record Encoded(byte[] bytes, String hash) {}

  static Encoded encode(LogRecord record) throws IOException {
    return frame(RECORD_MAGIC, record.sequence(), MAPPER.writeValueAsBytes(record));
  }

  /** The length of a record with that entry alone. Fails if no record can hold the entry. */
  static long bytesOf(LogRecord.Entry entry) throws JsonProcessingException {
    return Json.bytes(MAPPER, new LogRecord(0, "", 0, "", "", Instant.EPOCH, List.of(entry)));
  }

  /** The header of a record with that hash. */
  static byte[] recordHeader(long sequence, String hash) {
    return header(RECORD_MAGIC, sequence, hash);
  }

  /**
   * @param hash of the record, as the next one names it
   */
  record Decoded(LogRecord record, String hash) {}

  /** The record with that number, or an error. */
  static Decoded decode(long sequence, byte[] bytes, String file) throws IOException {
    Encoded body = unframe(RECORD_MAGIC, sequence, bytes, file);
    LogRecord record = parse(body, file);
    if (record.sequence() != sequence) {
      throw new LogDamagedException(file, "it holds record " + record.sequence());
    }
    return new Decoded(record, body.hash());
  }

  /** Adds a record to the state that it claims to follow, or fails. */
  static LogState follow(LogState state, byte[] bytes, String file) throws IOException {
    Decoded decoded = decode(state.sequence() + 1, bytes, file);
    LogRecord record = decoded.record();
    for (LogRecord.Entry entry : record.entries()) {
      for (Change change : entry.changes()) {
        FeatureCheck.require(change, file);
      }
    }
    if (!record.previous().equals(state.position().hash())) {
      throw new LogDamagedException(file, "it does not follow the record before it");
    }
    if (record.term() < state.position().term()) {
      throw new LogDamagedException(file, "its term is older than the record before it");
    }
    try {
      return state.plus(record, decoded.hash());
    } catch (IllegalStateException e) {
      IOException damage =
          new LogDamagedException(
              file, "its changes do not fit the state before: " + e.getMessage());
      damage.initCause(e);
      throw damage;
    }
  }

  private static LogRecord parse(Encoded body, String file) throws IOException {
    try {
      return MAPPER.readValue(body.bytes(), LogRecord.class);
    } catch (IOException e) {
      FeatureCheck.requireOf(body.bytes(), file);
      throw new LogDamagedException(
          file, "its checksum is right, but this version cannot read it: " + e.getMessage());
    }
  }

  private static Encoded frame(String magic, long sequence, byte[] json) {
    String hash = sha256(json, 0, json.length);
    byte[] header = header(magic, sequence, hash);
    byte[] all = Arrays.copyOf(header, header.length + json.length);
    System.arraycopy(json, 0, all, header.length, json.length);
    return new Encoded(all, hash);
  }

  private static Encoded unframe(String magic, long sequence, byte[] bytes, String file)
      throws LogDamagedException {
    int headerBytes = headerBytes(magic);
    if (bytes.length < headerBytes) {
      throw new LogDamagedException(file, "it is truncated to " + bytes.length + " bytes");
    }
    String hash = sha256(bytes, headerBytes, bytes.length - headerBytes);
    byte[] expected = header(magic, sequence, hash);
    if (!Arrays.equals(expected, 0, headerBytes, bytes, 0, headerBytes)) {
      throw new LogDamagedException(
          file, "its checksum or header is wrong; it was changed after it was written");
    }
    return new Encoded(Arrays.copyOfRange(bytes, headerBytes, bytes.length), hash);
  }

  static int headerBytes(String magic) {
    return magic.length() + 1 + NUMBER_CHARS + 1 + HASH_CHARS + 1;
  }

  static byte[] header(String magic, long sequence, String hash) {
    String line = magic + " " + Names.padded(sequence, NUMBER_CHARS) + " " + hash + "\n";
    return line.getBytes(StandardCharsets.US_ASCII);
  }

  private static String sha256(byte[] bytes, int offset, int length) {
    MessageDigest digest = sha256();
    digest.update(bytes, offset, length);
    return HexFormat.of().formatHex(digest.digest());
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
