package io.quarry.coordinator.cluster;

/** Called on the election's thread, one call at a time: hand long work to another thread. */
public interface ElectionListener {
  /**
   * This agent now leads and should commit.
   *
   * @param electionNumber higher for each later election, as long as ZooKeeper keeps its data; the
   *     term that counts is the one in the log
   */
  void elected(long electionNumber);

  /** Another agent leads now, or this agent gave up the role. Never called for a mere outage. */
  void deposed(String reason);
}
