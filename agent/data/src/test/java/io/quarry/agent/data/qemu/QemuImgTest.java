package io.quarry.agent.data.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.data.DiskImages;
import io.quarry.agent.data.Tools;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.data.process.ToolFailure;
import io.quarry.agent.data.process.ToolLimits;
import io.quarry.common.model.VolumeFormat;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class QemuImgTest {
  private static final int MIB = 1 << 20;

  @TempDir Path dir;

  private final Children children = new Children(new Spawner(), "test");
  private final QemuImg qemu = new QemuImg(children);

  @Test
  void infoTellsBothFormatsApart() throws Exception {
    Path raw = DiskImages.hole(dir.resolve("disk.raw"), MIB);
    Path overlay = dir.resolve("overlay.qcow2");
    qemu.createOverlay(overlay, new Backing("disk.raw", VolumeFormat.RAW), 2 * MIB);
    assertThat(qemu.info(raw, VolumeFormat.RAW).virtualSize()).isEqualTo(MIB);
    ImageFile info = qemu.info(overlay, VolumeFormat.QCOW2);
    assertThat(info.virtualSize()).isEqualTo(2 * MIB);
    assertThat(info.backingFile()).contains("disk.raw");
    assertThat(info.backingFormat()).contains("raw");
    assertThat(info.clusterSize()).hasValue(65_536);
    assertThat(qemu.limited(ToolLimits.INSPECTION).info(overlay, VolumeFormat.QCOW2))
        .isEqualTo(info);
  }

  /** With memory arenas for each thread, about every tenth check finds no room for its threads. */
  @Test
  void limitedToolHasRoomForItsThreads() throws Exception {
    Path image = dir.resolve("image.qcow2");
    DiskImages.emptyQcow2(image, MIB, Optional.empty());
    QemuImg limited = qemu.limited(new ToolLimits(Duration.ofSeconds(30), 600L * MIB));
    for (int check = 0; check < 50; check++) {
      assertThat(limited.check(new Chain.Layer(image, VolumeFormat.QCOW2)).isClean()).isTrue();
    }
  }

  @Test
  void infoNeverGuessesTheFormat() throws Exception {
    Path disguised = dir.resolve("disk.raw");
    qemu.create(disguised, VolumeFormat.QCOW2, MIB);
    assertThat(qemu.info(disguised, VolumeFormat.RAW).format()).isEqualTo("raw");
    DiskImages.hole(dir.resolve("zeros"), MIB);
    assertThatThrownBy(() -> qemu.info(dir.resolve("zeros"), VolumeFormat.QCOW2))
        .isInstanceOf(ToolFailure.class)
        .hasMessageContaining("not in qcow2 format");
  }

  @Test
  void aCorruptImageIsAnAnswerOfCheck() throws Exception {
    Path image = dir.resolve("image.qcow2");
    DiskImages.emptyQcow2(image, MIB, Optional.empty());
    assertThat(qemu.check(new Chain.Layer(image, VolumeFormat.QCOW2)).isClean()).isTrue();
    // A reference count above 0 without a reference is a leak.
    DiskImages.fill(image, 2 * 65_536 + 8, 2, 1);
    DiskImages.fill(image, 5 * 65_536 - 1, 1, 1);
    assertThat(qemu.check(new Chain.Layer(image, VolumeFormat.QCOW2)).leakedClusters())
        .isEqualTo(1);
    assertThat(qemu.repairLeaks(new Chain.Layer(image, VolumeFormat.QCOW2)).isSound()).isTrue();
    assertThat(qemu.check(new Chain.Layer(image, VolumeFormat.QCOW2)).isClean()).isTrue();
    DiskImages.fill(image, 3 * 65_536, 8, 0x7f);
    assertThat(qemu.check(new Chain.Layer(image, VolumeFormat.QCOW2)).isSound()).isFalse();
  }

  @Test
  void backingCanBeChangedAndTakenAway() throws Exception {
    DiskImages.hole(dir.resolve("a.raw"), MIB);
    DiskImages.hole(dir.resolve("b.raw"), MIB);
    Path overlay = dir.resolve("overlay.qcow2");
    DiskImages.emptyQcow2(overlay, MIB, Optional.of(new Backing("a.raw", VolumeFormat.RAW)));
    qemu.changeBacking(overlay, Optional.of(new Backing("b.raw", VolumeFormat.RAW)));
    assertThat(qemu.info(overlay, VolumeFormat.QCOW2).backingFile()).contains("b.raw");
    qemu.changeBacking(overlay, Optional.empty());
    assertThat(qemu.info(overlay, VolumeFormat.QCOW2).backingFile()).isEmpty();
  }

  @Test
  void mapTellsWhereTheBytesAre() throws Exception {
    Path base = dir.resolve("base.raw");
    DiskImages.hole(base, MIB);
    DiskImages.fill(base, 65_536, 65_536, 1);
    Path overlay = dir.resolve("overlay.qcow2");
    DiskImages.emptyQcow2(overlay, MIB, Optional.of(new Backing("base.raw", VolumeFormat.RAW)));
    List<MapEntry> map = qemu.map(new Tools(children).chain(overlay), 0, MIB);
    assertThat(map)
        .anySatisfy(entry -> {
          assertThat(entry.start()).isEqualTo(65_536);
          assertThat(entry.depth()).isEqualTo(1);
          assertThat(entry.data()).isTrue();
          assertThat(entry.fileOffset()).hasValue(65_536);
        });
    assertThat(map.getLast().start() + map.getLast().length()).isEqualTo(MIB);
  }
}
