package io.quarry.agent.fix;

import io.quarry.agent.data.DataOnly;
import io.quarry.agent.data.Source;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.util.List;

/** Copies the whole content of an image into a volume of the format that the layout asks for. */
final class WholeCopy {
  private WholeCopy() {}

  /** Returns the file that now holds the whole content, durably. */
  static String of(RunningFix run, Volume volume, RepositoryState state, Source source)
      throws IOException, InterruptedException {
    return switch (volume.format()) {
      case RAW -> new RawCopy(run, volume).copy(source);
      case QCOW2 -> new OverlayCopy(run, volume, state).copy(new DataOnly(source), List.of());
    };
  }
}
