package io.quarry.agent.data;

/** The handle by which another thread stops a copy. */
public final class CopyControl {
  private volatile boolean stopped;

  /** Asks for the end. The copy's own return says that nothing is being written any more. */
  public void stop() {
    stopped = true;
  }

  public boolean isStopped() {
    return stopped;
  }
}
