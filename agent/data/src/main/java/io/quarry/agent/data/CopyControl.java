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

  /**
   * Ends what the calling thread is about to do if it was asked to.
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
