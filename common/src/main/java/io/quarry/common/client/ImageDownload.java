package io.quarry.common.client;

import io.quarry.common.api.ByteRange;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.Sha256;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.JsonHttp.Outcome;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads an image in pieces, each with its digest, from any agent that answers. The stream outlives
 * the agent that it began with. All verified bytes belong to one state of the image. One piece is
 * in memory. Used by one thread.
 */
final class ImageDownload extends InputStream {
  /** Agents send no digest for longer ranges. */
  static final int PIECE_BYTES = 8 << 20;

  /** For reading and sending a piece over a slow line, from a slow storage. */
  private static final Duration PIECE_TIMEOUT = Duration.ofSeconds(60);

  /** A piece that arrives damaged this often is damaged on the storage. */
  private static final int TRIES_MAX = 3;

  private static final Pattern CONTENT_RANGE =
      Pattern.compile("bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})");
  private static final Pattern ETAG = Pattern.compile("\"[!#-~]{1,200}\"");

  private final Failover failover;
  private final ClientSettings settings;
  private final String path;
  private final DownloadRequest request;
  private @Nullable String etag;
  private long size;
  private long next;
  private long end;
  private ByteArrayInputStream piece = new ByteArrayInputStream(new byte[0]);

  private ImageDownload(
      Failover failover, ClientSettings settings, String path, DownloadRequest request) {
    this.failover = failover;
    this.settings = settings;
    this.path = path;
    this.request = request;
    this.etag = request.ifMatch() == null ? request.ifRange() : request.ifMatch();
    if (etag != null && !ETAG.matcher(etag).matches()) {
      throw StorageException.invalid("etag", etag + " is no ETag.", "Give one as it was given.");
    }
  }

  /** Reads enough to know that the rest can be read. */
  static ImageData open(
      Failover failover, ClientSettings settings, Target target, DownloadRequest request) {
    String path = target.toString();
    try {
      return new ImageDownload(failover, settings, path, request).begin();
    } catch (StorageException e) {
      if (e.code() != ErrorCode.IMAGE_CHANGED || request.ifMatch() != null) {
        throw e;
      }
      var whole = new DownloadRequest(null, null, null, request.more());
      return new ImageDownload(failover, settings, path, whole).begin();
    }
  }

  private ImageData begin() {
    ByteRange range = request.range() == null ? ByteRange.from(0) : request.range();
    if (range.suffix() > 0 || range.last() < 0) {
      // The image's length decides which piece is the last one.
      fetch(ByteRange.of(range.suffix() > 0 ? 0 : range.first(), 1), true);
    } else {
      boolean lastPiece = range.last() - range.first() < PIECE_BYTES;
      long length = Math.min(PIECE_BYTES, range.last() - range.first() + 1);
      piece = fetch(ByteRange.of(range.first(), length), !lastPiece || request.more());
    }
    long offset = range.offsetIn(size);
    end = offset + range.lengthIn(size);
    next = offset + piece.available();
    String tag = String.valueOf(etag);
    return new ImageData(tag, size, offset, end - offset, request.range() != null, null, this);
  }

  @Override
  public int read() {
    return available() == 0 && !fill() ? -1 : piece.read();
  }

  @Override
  public int read(byte[] into, int offset, int length) {
    if (length == 0) {
      return 0;
    }
    return available() == 0 && !fill() ? -1 : piece.read(into, offset, length);
  }

  @Override
  public int available() {
    return piece.available();
  }

  private boolean fill() {
    if (next == end) {
      return false;
    }
    long length = Math.min(PIECE_BYTES, end - next);
    piece = fetch(ByteRange.of(next, length), next + length < end || request.more());
    next += length;
    return true;
  }

  /** One verified piece; shorter at the image's end. */
  private ByteArrayInputStream fetch(ByteRange range, boolean more) {
    Map<String, String> headers = new HashMap<>();
    headers.put("Range", range.toString());
    if (etag != null) {
      headers.put("If-Match", etag);
    }
    var get = new JsonHttp.Request("GET", path + "?more=" + more, null, null, headers);
    var attempt = Attempt.reading(get, PIECE_TIMEOUT);
    for (int tries = 1; ; tries++) {
      Outcome.Answered answer = failover.answer(attempt, settings.deadline().plus(PIECE_TIMEOUT));
      if (isWhole(answer, range)) {
        return new ByteArrayInputStream(answer.body());
      }
      if (tries == TRIES_MAX) {
        throw new StorageException(
            ErrorCode.INTERNAL,
            "The bytes of " + range + " do not have the digest that came with them.",
            path,
            "Look for what changes data between here and the agents.");
      }
    }
  }

  /** Whether these are the requested bytes; if so, notes the etag and size of their head. */
  private boolean isWhole(Outcome.Answered answer, ByteRange range) {
    Matcher place =
        CONTENT_RANGE.matcher(answer.headers().getOrDefault("content-range", "nothing"));
    String tag = answer.headers().get("etag");
    if (!place.matches() || tag == null || Long.parseLong(place.group(1)) != range.first()) {
      throw new StorageException(
          ErrorCode.INTERNAL,
          "The agent's answer is not the range that was asked for.",
          path,
          "Use a client of the agent's version.");
    }
    long length = Long.parseLong(place.group(2)) - range.first() + 1;
    String digest = "sha-256=:" + Sha256.base64(answer.body()) + ":";
    if (length != answer.body().length || !digest.equals(answer.headers().get("content-digest"))) {
      return false;
    }
    etag = tag;
    size = Long.parseLong(place.group(3));
    return true;
  }
}
