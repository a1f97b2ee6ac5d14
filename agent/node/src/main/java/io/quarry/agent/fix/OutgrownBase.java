package io.quarry.agent.fix;

import io.quarry.agent.data.OverlayTarget;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.data.qemu.ImageFile;
import io.quarry.agent.storage.VolumeStore;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A base whose file is longer than the log says, because a hypervisor grew the guest's disk outside
 * of Quarry. An overlay that is larger than the recorded base promises zeros there, but QEMU would
 * show what the file has. So this class writes zeros into the overlay.
 */
final class OutgrownBase {
  private static final Logger LOG = LoggerFactory.getLogger(OutgrownBase.class);

  private final RunningFix run;

  OutgrownBase(RunningFix run) {
    this.run = run;
  }

  /**
   * @param file of the overlay, which holds no data yet
   */
  void hide(Volume overlay, String file, RepositoryState state)
      throws IOException, InterruptedException {
    Image parent = state.images().get(String.valueOf(overlay.parentImageId()));
    Volume base = parent == null ? null : state.volumeOf(parent);
    if (overlay.format() != VolumeFormat.QCOW2
        || parent == null
        || base == null
        || base.file() == null
        || overlay.size() <= base.size()
        || !state.isWhole(parent)) {
      return;
    }
    VolumeStore volumes = run.repository().storage().volumes();
    long found;
    try (NativeFile grown = volumes.openRead(base.file())) {
      found = ImageFile.virtualSize(grown, base.format());
    }
    if (found <= base.size()) {
      return;
    }
    LOG.warn(
        "{} has {} bytes instead of {}: what is behind them is hidden from {}",
        base.file(),
        found,
        base.size(),
        file);
    Chains chains = new Chains(run.context().repositories());
    Chain below = chains.of(run.repository().storage(), state, parent);
    Chain.Layer top = volumes.layer(file, VolumeFormat.QCOW2);
    try (OverlayTarget target =
        OverlayTarget.open(
            run.children(), run.context().runtimeDirectory(), Chain.over(top, below.layers()))) {
      target.writeZeroes(base.size(), Math.min(found, overlay.size()) - base.size());
      target.flush();
    }
  }
}
