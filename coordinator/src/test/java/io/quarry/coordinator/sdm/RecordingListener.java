package io.quarry.coordinator.sdm;

import io.quarry.coordinator.log.LogState;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Remembers what an SDM told its host. */
final class RecordingListener implements SdmListener {
  private final List<Long> commits = new CopyOnWriteArrayList<>();
  private final List<String> ends = new CopyOnWriteArrayList<>();

  @Override
  public void leading(LogState state) {
    commits.add(state.sequence());
  }

  @Override
  public void committed(LogState before, LogState after) {
    commits.add(after.sequence());
  }

  @Override
  public void steppedDown(String reason) {
    ends.add(reason);
  }

  List<Long> commits() {
    return commits;
  }

  List<String> ends() {
    return ends;
  }
}
