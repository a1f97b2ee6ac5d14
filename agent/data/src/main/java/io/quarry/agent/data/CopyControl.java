package io.quarry.agent.data;

/** The handle by which another thread stops a copy. */
public final class CopyControl {
  private volatile boolean stopped;

  /** Asks the copy to end. No write is under way any more once the copy has returned. */
  public void stop() {
    stopped = true;
  }

  public boolean isStopped() {
    return stopped;
  }

  /**
   * Throws if the copy was asked to stop.
   *
   * @param what is being done, and how far it is
   */
  public void check(String what) throws CopyStopped, InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException(what + ": interrupted");
    }
    if (stopped) {
      throw new CopyStopped(what + ": stopped");
    }
  }
}
