package io.quarry.coordinator.sdm;

import io.quarry.coordinator.log.LogState;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Records an SDM's notices to its host. */
final class RecordingListener implements SdmListener {
  private final List<Long> commits = new CopyOnWriteArrayList<>();
  private final List<String> turns = new CopyOnWriteArrayList<>();
  private final List<String> ends = new CopyOnWriteArrayList<>();

  @Override
  public void leading(LogState state) {
    turns.add("leading");
    commits.add(state.sequence());
  }

  @Override
  public void committed(LogState before, LogState after) {
    commits.add(after.sequence());
  }

  @Override
  public void steppedDown(String reason) {
    turns.add("stepped down");
    ends.add(reason);
  }

  List<Long> commits() {
    return commits;
  }

  /** Beginnings and ends of terms, in the order of the notices. */
  List<String> turns() {
    return turns;
  }

  List<String> ends() {
    return ends;
  }
}
