package io.quarry.agent.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.data.qemu.Backing;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.data.qemu.QemuImg;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DifferenceCopierTest {
  private static final int MIB = 1 << 20;
  private static final long WINDOW = 4L * MIB;
  private static final long BASE = 17L * MIB + 512;
  private static final long TOP = 20L * MIB + 1024;

  @TempDir private Path dir;

  private final Children children = new Children(new Spawner(), "test");
  private final Tools tools = new Tools(children);
  private Chain chain;

  @BeforeEach
  void makeChain() throws Exception {
    chain = tools.chain(tools.chainOfThree(dir, BASE, TOP, 41));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void upperLayersBecomeOneOverlay(int layers) throws Exception {
    Chain merged = overlay("merged.qcow2", layers);
    CopyFigures figures = copy(merged, layers, 0, new CopyControl(), (end, moved) -> {});

    assertThat(new QemuImg(children).compare(chain, merged)).isTrue();
    assertThat(new QemuImg(children).check(merged.top()).corruptions()).isZero();
    assertThat(figures.written()).isPositive().isLessThan(6L * MIB);
    assertThat(figures.skipped()).isGreaterThan(10L * MIB);
  }

  /** Otherwise data below would show through. */
  @Test
  void zerosOverDataAreZerosInTheOverlay() throws Exception {
    Chain merged = overlay("merged.qcow2", 2);
    copy(merged, 2, 0, new CopyControl(), (end, moved) -> {});

    try (ChainSource source = open(merged)) {
      assertThat(source.extentsAbove(1, 2L * MIB, 192 << 10))
          .containsExactly(Extent.zero(2L * MIB, 192 << 10));
    }
    // Without an entry in any layer a range is zero, also behind the end of the base.
    try (ChainSource source = open(merged)) {
      assertThat(source.extentsAbove(1, 5L * MIB, MIB)).isEmpty();
      assertThat(source.extentsAbove(1, 18L * MIB, MIB)).isEmpty();
    }
  }

  @Test
  void goesOnFromAnyWindow() throws Exception {
    Chain merged = overlay("merged.qcow2", 2);
    List<Long> durable = new ArrayList<>();
    CopyControl control = new CopyControl();
    assertThatThrownBy(() ->
            copy(
                merged,
                2,
                0,
                control,
                (end, moved) -> {
                  durable.add(end);
                  control.stop();
                }))
        .isInstanceOf(CopyStopped.class);
    assertThat(durable).isNotEmpty();

    List<Long> rest = new ArrayList<>();
    copy(merged, 2, durable.getLast(), new CopyControl(), (end, moved) -> rest.add(end));

    assertThat(rest).allMatch(end -> end > durable.getLast());
    assertThat(rest.getLast()).isEqualTo(TOP);
    assertThat(new QemuImg(children).compare(chain, merged)).isTrue();
  }

  private Chain overlay(String name, int layers) throws IOException {
    List<Chain.Layer> below = chain.layers().subList(layers, chain.layers().size());
    Path file = dir.resolve(name);
    Files.deleteIfExists(file);
    Chain.Layer first = below.getFirst();
    DiskImages.emptyQcow2(
        file, TOP, Optional.of(new Backing(first.file().getFileName().toString(), first.format())));
    return Chain.over(new Chain.Layer(file, VolumeFormat.QCOW2), below);
  }

  private ChainSource open(Chain image) throws IOException {
    return ChainSource.open(children, dir, image, TOP);
  }

  private CopyFigures copy(
      Chain merged, int layers, long start, CopyControl control, WindowListener listener)
      throws IOException, InterruptedException {
    try (ChainSource source = open(chain);
        OverlayTarget target = OverlayTarget.open(children, dir, merged)) {
      return DifferenceCopier.copy(
          source.above(layers),
          target,
          new CopyPlan(start, CopyPace.USUAL.withWindow(WINDOW)),
          Throttle.unlimited(),
          control,
          listener);
    }
  }
}
