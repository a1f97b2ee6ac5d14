package io.quarry.agent.data.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.data.DiskImages;
import io.quarry.agent.data.Tools;
import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class EmptyQcow2Test {
  private static final long GIB = 1L << 30;
  private static final long TIB = 1L << 40;

  @TempDir Path dir;

  private final Children children = new Children(new Spawner(), "test");
  private final QemuImg qemu = new QemuImg(children);

  @ParameterizedTest
  @ValueSource(
      longs = {
        512,
        65_536,
        66_048,
        1 << 20,
        GIB / 2,
        GIB / 2 + 512,
        GIB,
        10 * GIB,
        TIB,
        4 * TIB,
        4 * TIB + 512,
        8 * TIB,
        16 * TIB,
        16 * TIB + 512,
        64 * TIB
      })
  void isWhatQemuImgWouldHaveMade(long size) throws Exception {
    DiskImages.hole(dir.resolve("base.raw"), Math.min(size, GIB));
    Backing base = new Backing("base.raw", VolumeFormat.RAW);
    Path ours = dir.resolve("ours.qcow2");
    Path theirs = dir.resolve("theirs.qcow2");
    DiskImages.emptyQcow2(ours, size, Optional.of(base));
    qemu.createOverlay(theirs, base, size);

    ImageFile info = qemu.info(ours, VolumeFormat.QCOW2);
    assertThat(info)
        .usingRecursiveComparison()
        .ignoringFields("allocatedBytes")
        .isEqualTo(qemu.info(theirs, VolumeFormat.QCOW2));
    assertThat(info.virtualSize()).isEqualTo(size);
    assertThat(info.allocatedBytes()).isLessThanOrEqualTo(64 << 10);
    assertThat(qemu.check(new Chain.Layer(ours, VolumeFormat.QCOW2)).isClean()).isTrue();
    run("qemu-img", "info", "--backing-chain", "-f", "qcow2", ours.toString());
  }

  @ParameterizedTest
  @ValueSource(longs = {512, GIB / 2 + 512, 3 * GIB, 8 * TIB, 64 * TIB})
  void withoutBackingItReadsAsZeros(long size) throws Exception {
    Path ours = dir.resolve("ours.qcow2");
    DiskImages.emptyQcow2(ours, size, Optional.empty());
    assertThat(qemu.info(ours, VolumeFormat.QCOW2).backingFile()).isEmpty();
    io(ours, "read -P 0 0 512", "read -P 0 " + (size - 512) + " 512");
  }

  @ParameterizedTest
  @ValueSource(longs = {1 << 20, 3 * GIB, 8 * TIB})
  void guestWritesLandAsInAnOverlayOfQemu(long size) throws Exception {
    Path base = DiskImages.random(dir.resolve("base.raw"), 1 << 20, 4);
    Backing backing = new Backing(base.toString(), VolumeFormat.RAW);
    Path ours = dir.resolve("ours.qcow2");
    Path theirs = dir.resolve("theirs.qcow2");
    DiskImages.emptyQcow2(ours, size, Optional.of(backing));
    qemu.createOverlay(theirs, backing, size);
    for (Path overlay : List.of(ours, theirs)) {
      io(
          overlay,
          "write -P 1 512 1024",
          "write -P 2 60k 200k",
          "write -z 300k 100k",
          "write -P 3 " + (size - 512) + " 512",
          "write -P 4 " + (size / 2 - 512) + " 1024");
    }
    assertThat(qemu.compare(new Tools(children).chain(ours), new Tools(children).chain(theirs)))
        .isTrue();
    assertThat(qemu.check(new Chain.Layer(ours, VolumeFormat.QCOW2)).isClean()).isTrue();
    io(ours, "write -P 5 0 512");
    assertThat(qemu.compare(new Tools(children).chain(ours), new Tools(children).chain(theirs)))
        .isFalse();
  }

  @Test
  void fileGrowsPastItsFirstReferenceCountBlock() throws Exception {
    Path ours = dir.resolve("ours.qcow2");
    DiskImages.emptyQcow2(ours, 1 << 20, Optional.empty());
    // Allocates all clusters without writing data: four times as many as the first block describes.
    run(
        "qemu-img",
        "resize",
        "-q",
        "--preallocation=metadata",
        "-f",
        "qcow2",
        ours.toString(),
        Long.toString(8 * GIB));
    io(ours, "write -P 9 5G 1M", "read -P 9 5G 1M", "read -P 0 7G 1M");
    assertThat(qemu.check(new Chain.Layer(ours, VolumeFormat.QCOW2)).isClean()).isTrue();
  }

  @Test
  void aChainOfThreeOpens() throws Exception {
    Path base = DiskImages.random(dir.resolve("base.raw"), 1 << 20, 8);
    DiskImages.emptyQcow2(
        dir.resolve("middle.qcow2"),
        1 << 20,
        Optional.of(new Backing("base.raw", VolumeFormat.RAW)));
    Path top = dir.resolve("top.qcow2");
    DiskImages.emptyQcow2(
        top, 1 << 20, Optional.of(new Backing("middle.qcow2", VolumeFormat.QCOW2)));
    assertThat(qemu.compare(Chain.of(base, VolumeFormat.RAW), new Tools(children).chain(top)))
        .isTrue();
  }

  @Test
  void anExistingFileIsNotTouched() throws Exception {
    Path taken = Files.writeString(dir.resolve("taken"), "precious");
    assertThatThrownBy(() -> DiskImages.emptyQcow2(taken, GIB, Optional.empty()))
        .isInstanceOf(FileFailure.Exists.class);
    assertThat(taken).hasContent("precious");
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -512, 100, 513, 64 * TIB + 512})
  void impossibleSizesAreRefused(long size) {
    assertThatThrownBy(() -> DiskImages.emptyQcow2(dir.resolve("x"), size, Optional.empty()))
        .isInstanceOf(IOException.class);
    assertThat(dir.resolve("x")).isEmptyFile();
  }

  private void io(Path image, String... commands) throws Exception {
    for (String command : commands) {
      String output = run("qemu-io", "-f", "qcow2", "-c", command, image.toString());
      assertThat(output).doesNotContain("failed");
    }
  }

  private String run(String... command) throws Exception {
    return children.run(List.of(command), Duration.ofMinutes(2)).orFail().stdout();
  }
}
