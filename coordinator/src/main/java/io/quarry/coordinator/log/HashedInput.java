package io.quarry.coordinator.log;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;

/**
 * Hashes a stream on another thread while its consumer parses it: a large checkpoint takes a second
 * to hash. Only the caller's thread reads the stream.
 */
final class HashedInput extends InputStream {
  private static final int CHUNK_BYTES = 128 << 10;

  /** Chunks that may wait to be hashed. */
  private static final int WAITING_MAX = 16;

  private final InputStream in;
  private final MessageDigest digest = Codec.sha256();
  private CompletableFuture<Void> hashed = CompletableFuture.completedFuture(null);
  private byte[] chunk = new byte[0];
  private int at;
  private int chunks;

  HashedInput(InputStream in) {
    this.in = in;
  }

  @Override
  public int read() throws IOException {
    return fill() ? chunk[at++] & 0xff : -1;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    if (!fill()) {
      return -1;
    }
    int count = Math.min(length, chunk.length - at);
    System.arraycopy(chunk, at, into, offset, count);
    at += count;
    return count;
  }

  /** Whether there is a byte. A chunk is not written to once another thread hashes it. */
  private boolean fill() throws IOException {
    if (at < chunk.length) {
      return true;
    }
    byte[] next = in.readNBytes(CHUNK_BYTES);
    if (next.length == 0) {
      return false;
    }
    if (++chunks % WAITING_MAX == 0) {
      hashed.join();
    }
    if (next.length < CHUNK_BYTES) {
      // The last chunk, and often the only one: not worth another thread.
      hashed.join();
      digest.update(next);
    } else {
      hashed = hashed.thenRunAsync(() -> digest.update(next));
    }
    chunk = next;
    at = 0;
    return true;
  }

  /** The hash of all bytes read; no byte may be read afterwards. */
  String hash() {
    hashed.join();
    return HexFormat.of().formatHex(digest.digest());
  }
}
