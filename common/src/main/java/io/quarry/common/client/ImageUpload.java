package io.quarry.common.client;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Sha256;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.api.UploadRange;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Sends a range of an image in pieces, each with its digest. Keeps a piece until it is durable, to
 * send it to another agent when the first one is lost.
 */
final class ImageUpload {
  static final int PIECE_BYTES = 8 << 20;

  /** For sending a piece over a slow line to a slow storage. */
  private static final Duration PIECE_TIMEOUT = Duration.ofSeconds(60);

  private final Failover failover;
  private final ClientSettings settings;
  private final String path;
  private final Function<byte[], UploadInfo> answer;
  private final LongSupplier reached;

  /**
   * @param reached asks how many bytes of the upload are durable
   */
  ImageUpload(
      Failover failover,
      ClientSettings settings,
      Target target,
      Function<byte[], UploadInfo> answer,
      LongSupplier reached) {
    this.failover = failover;
    this.settings = settings;
    this.path = target.toString();
    this.answer = answer;
    this.reached = reached;
  }

  UploadInfo send(UploadRange range, InputStream content) {
    if (range.zeros()) {
      return put(range, new byte[0]);
    }
    if (range.length() <= 0) {
      throw StorageException.invalid("range", range.header() + " is empty.", "Send some bytes.");
    }
    UploadInfo info = null;
    for (long at = range.offset(); at < range.end(); ) {
      byte[] piece = read(content, (int) Math.min(PIECE_BYTES, range.end() - at));
      String digest = Sha256.base64(piece);
      info = put(new UploadRange(at, piece.length, range.size(), false, digest), piece);
      at += piece.length;
    }
    return Objects.requireNonNull(info);
  }

  private static byte[] read(InputStream content, int length) {
    byte[] piece = new byte[length];
    int count;
    try {
      count = content.readNBytes(piece, 0, length);
    } catch (IOException e) {
      throw new StorageException(
          ErrorCode.INVALID_ARGUMENT,
          "What is to be uploaded cannot be read: " + e.getMessage(),
          "content",
          "Remove the cause and go on from the upload's offset.",
          e);
    }
    if (count < length) {
      throw StorageException.invalid(
          "content", "The content ends before the range does.", "Give as much as the range says.");
    }
    return piece;
  }

  private UploadInfo put(UploadRange range, byte[] piece) {
    Map<String, String> headers = new HashMap<>();
    headers.put("Content-Type", "application/octet-stream");
    headers.put("Content-Range", range.header());
    if (range.sha256() != null) {
      headers.put("Content-Digest", "sha-256=:" + range.sha256() + ":");
    }
    String query = range.zeros() ? "&zeros=true" : "";
    var put = new JsonHttp.Request("PUT", path + query, piece, null, headers);
    // Repeating a range is harmless, so the client does not count it as a change.
    var attempt = Attempt.reading(put, PIECE_TIMEOUT);
    return whileItMoves(
        () -> answer.apply(failover.call(attempt, settings.deadline().plus(PIECE_TIMEOUT))),
        reached);
  }

  /**
   * Repeats a call that times out, as long as the upload makes progress. A low throttle of the
   * agent may hold a piece back for longer than any deadline.
   */
  static <T> T whileItMoves(Supplier<T> call, LongSupplier reached) {
    for (long before = -1; ; ) {
      try {
        return call.get();
      } catch (StorageException e) {
        if (!e.code().retryable() || Thread.currentThread().isInterrupted()) {
          throw e;
        }
        long now = reachedNow(reached, e);
        if (now <= before) {
          throw e;
        }
        before = now;
      }
    }
  }

  private static long reachedNow(LongSupplier reached, StorageException why) {
    try {
      return reached.getAsLong();
    } catch (StorageException e) {
      why.addSuppressed(e);
      throw why;
    }
  }
}
