package io.quarry.agent.data;

/**
 * Where a copy starts, and how the copy proceeds.
 *
 * @param startOffset all bytes before this offset are durable in the target already
 */
public record CopyPlan(long startOffset, CopyPace pace) {
  public CopyPlan {
    if (startOffset < 0) {
      throw new IllegalArgumentException("negative start offset " + startOffset);
    }
  }

  /** The whole image, at the usual pace. */
  public static CopyPlan fromStart() {
    return new CopyPlan(0, CopyPace.USUAL);
  }
}
