package io.quarry.coordinator.cluster;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Records the calls of an election. */
final class RecordingElectionListener implements ElectionListener {
  private final List<Long> elections = new CopyOnWriteArrayList<>();
  private volatile long electedAtNanos;
  private final List<String> depositions = new CopyOnWriteArrayList<>();

  @Override
  public void elected(long electionNumber) {
    electedAtNanos = System.nanoTime();
    elections.add(electionNumber);
  }

  @Override
  public void deposed(String reason) {
    depositions.add(reason);
  }

  long electedAtNanos() {
    return electedAtNanos;
  }

  List<Long> elections() {
    return elections;
  }

  List<String> depositions() {
    return depositions;
  }
}
