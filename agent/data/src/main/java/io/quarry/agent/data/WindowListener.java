package io.quarry.agent.data;

import java.io.IOException;

/** Hears of each window after it is durable; this is where a checkpoint is persisted. */
@FunctionalInterface
public interface WindowListener {
  /**
   * Called in ascending order by the copying thread.
   *
   * @param endOffset all bytes of the image before it are durable in the target
   * @param bytesMoved read from the source or shared with it so far, in this run
   * @throws IOException to end the copy with this failure
   */
  void windowDurable(long endOffset, long bytesMoved) throws IOException;
}
