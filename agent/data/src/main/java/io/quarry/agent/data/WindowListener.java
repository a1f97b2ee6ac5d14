package io.quarry.agent.data;

import java.io.IOException;

/** Is called when a window is durable; the implementation persists a checkpoint. */
@FunctionalInterface
public interface WindowListener {
  /**
   * Called in ascending order by the copying thread.
   *
   * @param endOffset all bytes of the image before this offset are durable in the target
   * @param bytesMoved read from the source, or shared with the source, so far, in this run
   * @throws IOException to end the copy with this failure
   */
  void windowDurable(long endOffset, long bytesMoved) throws IOException;
}
