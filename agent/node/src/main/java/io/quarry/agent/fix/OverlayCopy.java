package io.quarry.agent.fix;

import io.quarry.agent.data.OverlayTarget;
import io.quarry.agent.data.Source;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.data.qemu.ImageCheck;
import io.quarry.agent.data.qemu.QemuImg;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a difference, such as the upper layers of a chain, into one overlay volume, from the last
 * checkpoint on.
 */
final class OverlayCopy {
  private static final Logger LOG = LoggerFactory.getLogger(OverlayCopy.class);

  private final RunningFix run;
  private final Volume volume;
  private final RepositoryState state;

  OverlayCopy(RunningFix run, Volume volume, RepositoryState state) {
    this.run = run;
    this.volume = volume;
    this.state = state;
  }

  /**
   * Returns the file that now holds the difference, durably.
   *
   * @param source a difference, or a whole image when no layers are below
   * @param below the layers that show through where the source has no data
   */
  String copy(Source source, List<Chain.Layer> below) throws IOException, InterruptedException {
    LayerCopy.Start start = start();
    Chain chain = Chain.over(layer(start.file()), below);
    try (OverlayTarget target =
        OverlayTarget.open(run.children(), run.context().runtimeDirectory(), chain)) {
      new LayerCopy(run, source).into(target, start);
    }
    return start.file();
  }

  /**
   * Without proof that the earlier worker is dead the copy reads all data again: the source is the
   * same either way.
   */
  private LayerCopy.Start start() throws IOException, InterruptedException {
    ResumePoint earlier = ResumePoint.of(run, volume, null);
    if (earlier == null || !earlier.over() || !sound(earlier)) {
      String file = volume.fileOfEpoch(run.epoch());
      new VolumeFiles(run.repository().storage()).makeEmpty(volume, file, state);
      new OutgrownBase(run).hide(volume, file, state);
      return new LayerCopy.Start(file, 0, earlier == null ? 0 : earlier.checkpoint().bytesMoved());
    }
    long offset = earlier.checkpoint().offset();
    LOG.info("Going on with {} from byte {}", earlier.file(), offset);
    return new LayerCopy.Start(earlier.file(), offset, earlier.checkpoint().bytesMoved());
  }

  /**
   * A killed server leaves clusters without a reference, which is harmless. A file with any worse
   * defect is not continued.
   */
  private boolean sound(ResumePoint earlier) throws IOException, InterruptedException {
    run.repository().storage().volumes().thaw(earlier.file());
    ImageCheck found = new QemuImg(run.children()).repairLeaks(layer(earlier.file()).requireFile());
    if (found.corruptions() > 0) {
      LOG.warn("{} is not sound: {}; beginning anew", earlier.file(), found);
    }
    return found.corruptions() == 0;
  }

  private Chain.Layer layer(String file) {
    return run.repository().storage().volumes().layer(file, VolumeFormat.QCOW2);
  }
}
