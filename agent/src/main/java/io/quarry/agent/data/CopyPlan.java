package io.quarry.agent.data;

/**
 * Where a copy starts, and how far it goes at most between two checkpoints, in bytes.
 *
 * @param startOffset everything before it is durable in the target already
 */
public record CopyPlan(long startOffset, long windowBytes) {
  /**
   * Measured from 16 MiB to 1 GiB the duration of a copy does not depend on the window, since one
   * window is flushed while the next is being written. So the window is what a crash may cost on a
   * fast disk, around a tenth of a second of work; on a slow one it is reported in parts.
   */
  public static final long WINDOW_BYTES = 128L << 20;

  public CopyPlan {
    if (startOffset < 0) {
      throw new IllegalArgumentException("negative start offset " + startOffset);
    }
    if (windowBytes < ChunkCopier.CHUNK_BYTES || windowBytes % ChunkCopier.CHUNK_BYTES != 0) {
      throw new IllegalArgumentException(
          "window of " + windowBytes + " bytes: not a multiple of " + ChunkCopier.CHUNK_BYTES);
    }
  }

  /** The whole image, with windows of the usual size. */
  public static CopyPlan fromStart() {
    return from(0);
  }

  /** The rest of the image after the last durable window. */
  public static CopyPlan from(long startOffset) {
    return new CopyPlan(startOffset, WINDOW_BYTES);
  }
}
