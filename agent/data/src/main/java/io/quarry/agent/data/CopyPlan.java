package io.quarry.agent.data;

/**
 * Where a copy starts, and how it proceeds.
 *
 * @param startOffset everything before it is durable in the target already, in bytes
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
