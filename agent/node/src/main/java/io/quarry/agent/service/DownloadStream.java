package io.quarry.agent.service;

import io.quarry.agent.data.Throttle;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * A range of an image as a stream, which reads one piece of memory ahead. The last piece is
 * delivered only after proof that the image was kept all the time. Only one thread may use the
 * stream.
 */
final class DownloadStream extends InputStream {
  /** The size of one read from the storage. */
  private static final int PIECE_BYTES = 1 << 20;

  private static final int ALIGNMENT = 4096;

  private final DownloadSession reading;
  private final Throttle throttle;
  private final Consumer<DownloadSession> last;
  private final Consumer<DownloadSession> done;
  private final Consumer<DownloadSession> brokenOff;
  private final long end;

  // The garbage collector frees this memory: a read that hangs may still write to it.
  private final MemorySegment piece = Arena.ofAuto().allocate(PIECE_BYTES, ALIGNMENT);

  /** The offset of the next piece. */
  private long next;

  private int position;
  private int filled;
  private boolean complete;
  private boolean closed;

  /**
   * @param last throws unless the image was kept; called before the last byte is delivered
   * @param done receives the reading when all was read
   * @param brokenOff receives the reading after a failure, or when the caller stops
   */
  DownloadStream(
      DownloadSession reading,
      long offset,
      long length,
      Throttle throttle,
      Consumer<DownloadSession> last,
      Consumer<DownloadSession> done,
      Consumer<DownloadSession> brokenOff) {
    this.reading = reading;
    this.throttle = throttle;
    this.last = last;
    this.done = done;
    this.brokenOff = brokenOff;
    this.next = offset;
    this.end = offset + length;
  }

  @Override
  public int read() {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, into.length);
    if (length == 0) {
      return 0;
    }
    if (position == filled && !fill()) {
      return -1;
    }
    int count = Math.min(length, filled - position);
    MemorySegment.copy(piece, ValueLayout.JAVA_BYTE, position, into, offset, count);
    position += count;
    return count;
  }

  private boolean fill() {
    if (next == end) {
      return false;
    }
    int length = (int) Math.min(PIECE_BYTES - next % PIECE_BYTES, end - next);
    acquire(length);
    reading.read(next, piece.asSlice(0, length));
    if (next + length == end) {
      complete = true;
      last.accept(reading);
    }
    next += length;
    position = 0;
    filled = length;
    return true;
  }

  private void acquire(int bytes) {
    try {
      var _ = throttle.acquire(bytes, () -> false);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StorageException(
          ErrorCode.AGENT_UNAVAILABLE, "This agent is stopping.", "agent", "Ask another agent.", e);
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      (complete ? done : brokenOff).accept(reading);
    }
  }
}
