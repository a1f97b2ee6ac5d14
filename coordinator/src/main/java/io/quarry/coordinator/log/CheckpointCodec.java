package io.quarry.coordinator.log;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.quarry.common.api.ByteCounter;
import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.RecentRequests;
import io.quarry.coordinator.plan.RepositoryState;
import java.io.CharConversionException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Checkpoints as bytes, framed like records. A large repository's checkpoint has a hundred
 * megabytes. The codec never holds all of them in memory, so a checkpoint costs hardly more heap
 * than the state itself.
 */
final class CheckpointCodec {
  private static final String MAGIC = "QUARRY-CHECKPOINT-1";

  /**
   * Request ids are field names, too: the parser needs no symbol table for hundreds of thousands of
   * them.
   */
  private static final JsonFactory PARSERS =
      JsonFactory.builder().disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES).build();

  private static final ObjectReader READER =
      Codec.MAPPER.reader().without(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
  private static final ObjectReader CHANGES = READER.forType(Change.class);
  private static final ObjectReader REQUESTS = READER.forType(RecentRequests.Saved.class);
  private static final ObjectReader POSITION = READER.forType(Position.class);
  private static final ObjectWriter WRITER =
      Codec.MAPPER.writer().without(SerializationFeature.FLUSH_AFTER_WRITE_VALUE);
  private static final ObjectWriter CHANGE_WRITER = WRITER.forType(Change.class);

  private CheckpointCodec() {}

  /** The content of a checkpoint, when a reader only tests whether it is readable. */
  record Summary(Position position, long changes, long requests) {
    static Summary of(LogState state) {
      RecentRequests requests = state.repository().requests();
      return new Summary(
          state.position(),
          state.repository().asChanges().size(),
          requests.younger().size() + requests.older().size());
    }
  }

  private record Parsed(Position position, RecentRequests.Saved requests) {}

  /** Encodes twice, since the checksum comes first; returns the size in bytes. */
  static long write(LogState state, OutputStream out) throws IOException {
    List<Change> changes = state.repository().asChanges();
    ByteCounter counter = new ByteCounter();
    MessageDigest digest = Codec.sha256();
    body(state, changes, new DigestOutputStream(counter, digest));
    String hash = HexFormat.of().formatHex(digest.digest());
    byte[] header = Codec.header(MAGIC, state.sequence(), hash);
    out.write(header);
    body(state, changes, out);
    return header.length + counter.bytes();
  }

  private static void body(LogState state, List<Change> changes, OutputStream out)
      throws IOException {
    try (JsonGenerator json = WRITER.createGenerator(out)) {
      json.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
      json.writeStartObject();
      json.writeFieldName("position");
      WRITER.writeValue(json, state.position());
      json.writeArrayFieldStart("changes");
      for (Change change : changes) {
        CHANGE_WRITER.writeValue(json, change);
      }
      json.writeEndArray();
      json.writeFieldName("requests");
      WRITER.writeValue(json, state.repository().requests().save());
      json.writeEndObject();
    }
  }

  static LogState read(long sequence, InputStream in, String file) throws IOException {
    StateBuilder building = new StateBuilder();
    Parsed parsed = parse(sequence, in, file, building);
    RepositoryState state;
    try {
      state = building.build();
    } catch (RuntimeException e) {
      throw unreadable(file, e);
    }
    return new LogState(
        state.withRequests(RecentRequests.load(parsed.requests())), parsed.position());
  }

  static Summary summary(long sequence, InputStream in, String file) throws IOException {
    long[] changes = new long[1];
    Parsed parsed = parse(sequence, in, file, change -> changes[0]++);
    RecentRequests.Saved requests = parsed.requests();
    return new Summary(
        parsed.position(), changes[0], requests.younger().size() + requests.older().size());
  }

  /** Whether number and checksum are right; the content is not parsed. */
  static boolean whole(long sequence, InputStream in) throws IOException {
    byte[] header = in.readNBytes(Codec.headerBytes(MAGIC));
    HashedInput body = new HashedInput(in);
    body.transferTo(OutputStream.nullOutputStream());
    return Arrays.equals(header, expectedHeader(sequence, body));
  }

  private static byte[] expectedHeader(long sequence, HashedInput body) {
    return Codec.header(MAGIC, sequence, body.hash());
  }

  /** Passes changes on before the checksum is known; the consumer discards them when this fails. */
  private static Parsed parse(long sequence, InputStream in, String file, Consumer<Change> changes)
      throws IOException {
    byte[] header = in.readNBytes(Codec.headerBytes(MAGIC));
    HashedInput body = new HashedInput(in);
    @Nullable Parsed parsed = null;
    @Nullable Exception unreadable = null;
    try {
      parsed = parse(body, changes, file);
    } catch (LogTooNewException
        | JsonProcessingException
        | CharConversionException
        | RuntimeException e) {
      unreadable = e;
    }
    body.transferTo(OutputStream.nullOutputStream());
    if (!Arrays.equals(header, expectedHeader(sequence, body))) {
      throw new LogDamagedException(
          file, "its checksum or header is wrong; it was changed after it was written");
    }
    if (unreadable instanceof LogTooNewException tooNew) {
      throw tooNew;
    }
    if (parsed == null) {
      throw unreadable(file, unreadable);
    }
    if (parsed.position().sequence() != sequence) {
      throw new LogDamagedException(file, "it covers record " + parsed.position().sequence());
    }
    return parsed;
  }

  private static LogDamagedException unreadable(String file, @Nullable Exception why) {
    return new LogDamagedException(
        file, "its checksum is right, but this version cannot read it: " + why);
  }

  private static Parsed parse(InputStream body, Consumer<Change> changes, String file)
      throws IOException {
    @Nullable Position position = null;
    RecentRequests.@Nullable Saved requests = null;
    try (JsonParser json = PARSERS.createParser(body)) {
      json.disable(JsonParser.Feature.AUTO_CLOSE_SOURCE);
      require(json.nextToken() == JsonToken.START_OBJECT, "an object");
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String field = json.currentName();
        json.nextToken();
        switch (field) {
          case "position" -> position = POSITION.readValue(json);
          case "requests" -> requests = REQUESTS.readValue(json);
          case "changes" -> {
            require(json.isExpectedStartArrayToken(), "a list of changes");
            while (json.nextToken() != JsonToken.END_ARRAY) {
              Change change = CHANGES.readValue(json);
              FeatureCheck.require(change, file);
              changes.accept(change);
            }
          }
          default -> throw new IllegalArgumentException("unknown field " + field);
        }
      }
      require(json.nextToken() == null, "nothing after the object");
    }
    if (position == null || requests == null) {
      throw new IllegalArgumentException("position or requests are missing");
    }
    return new Parsed(position, requests);
  }

  private static void require(boolean met, String what) {
    if (!met) {
      throw new IllegalArgumentException("there should be " + what);
    }
  }
}
