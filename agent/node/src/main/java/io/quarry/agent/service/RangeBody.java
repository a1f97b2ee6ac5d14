package io.quarry.agent.service;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Sha256;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadRange;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.MessageDigest;
import java.util.Base64;

/**
 * The bytes of a range as the caller sends them. The body must have the length and the digest of
 * the range.
 */
final class RangeBody {
  /** What one write of a range without memory of its own gives to the storage. */
  private static final int PIECE_BYTES = 1 << 20;

  private static final int NETWORK_BYTES = 64 << 10;
  private static final int ALIGNMENT = 4096;

  private final String imageId;
  private final UploadRange range;
  private final InputStream content;
  private final MessageDigest received = Sha256.fresh();

  RangeBody(String imageId, UploadRange range, InputStream content) {
    this.imageId = imageId;
    this.range = range;
    this.content = content;
  }

  static void check(UploadRange range, long size) {
    if (range.size() != size || range.length() <= 0 || range.end() > size) {
      throw StorageException.invalid(
          "Content-Range",
          range.header() + " is not a range of " + size + " bytes",
          "give ranges of " + size + " bytes, which is what this upload has");
    }
  }

  /** Takes a piece of the range, which begins at that offset. */
  interface Pieces {
    void put(long offset, MemorySegment piece);
  }

  void into(MemorySegment memory) {
    try {
      fill(memory.asSlice(0, range.length()), range.offset());
      requireEnd();
    } catch (IOException e) {
      throw notWhole(e);
    }
    requireDigest();
  }

  /** For what takes too much memory. */
  void piecewise(Pieces pieces) {
    MemorySegment memory = Arena.ofAuto().allocate(PIECE_BYTES, ALIGNMENT);
    try {
      for (long at = range.offset(); at < range.end(); ) {
        long length = Math.min(PIECE_BYTES - at % PIECE_BYTES, range.end() - at);
        MemorySegment piece = memory.asSlice(0, length);
        fill(piece, at);
        pieces.put(at, piece);
        at += length;
      }
      requireEnd();
    } catch (IOException e) {
      throw notWhole(e);
    }
    requireDigest();
  }

  private void fill(MemorySegment memory, long offset) throws IOException {
    byte[] bytes = new byte[NETWORK_BYTES];
    for (long at = 0; at < memory.byteSize(); ) {
      int count = content.read(bytes, 0, (int) Math.min(bytes.length, memory.byteSize() - at));
      if (count < 0) {
        throw new EOFException("it ended at byte " + (offset + at));
      }
      received.update(bytes, 0, count);
      MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, at, count);
      at += count;
    }
  }

  private void requireEnd() throws IOException {
    if (content.read() >= 0) {
      throw new IOException("it went on after byte " + range.end());
    }
  }

  private StorageException notWhole(IOException why) {
    return StorageException.invalid(
        "body",
        range.header() + " did not arrive whole: " + why.getMessage(),
        "send as many bytes as Content-Range says");
  }

  private void requireDigest() {
    String sum = Base64.getEncoder().encodeToString(received.digest());
    if (range.sha256() != null && !range.sha256().equals(sum)) {
      throw new StorageException(
          ErrorCode.DIGEST_MISMATCH,
          "the bytes of " + range.header() + " have the SHA-256 " + sum,
          imageId,
          "repeat it");
    }
  }
}
