package io.quarry.agent.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class WindowCopierTest {
  private static final int MIB = 1 << 20;
  private static final long WINDOW = 4 * MIB;
  private static final WindowListener NOBODY = (end, moved) -> {};

  @TempDir Path dir;

  @Test
  void copyIsIdenticalAndSparse() throws Exception {
    long size = 37 * MIB + 512;
    Path source = DiskImages.random(dir.resolve("source"), size, 1);
    Path target = dir.resolve("target");
    CopyFigures figures = copy(source, target, 0, NOBODY);

    assertThat(DiskImages.same(source, target)).isTrue();
    assertThat(DiskImages.allocatedBytes(target)).isLessThan(DiskImages.allocatedBytes(source));
    assertThat(figures.written() + figures.skipped() + figures.cloned()).isEqualTo(size);
    assertThat(figures.written()).isLessThan(figures.read());
  }

  @Test
  void windowsAreReportedInOrderUpToTheEnd() throws Exception {
    Path source = dir.resolve("source");
    DiskImages.fill(source, 0, 10 * MIB, 7);
    List<Long> ends = new ArrayList<>();
    copy(source, dir.resolve("target"), 0, (end, moved) -> ends.add(end));
    assertThat(ends).contains(4L * MIB, 8L * MIB, 10L * MIB).isSorted();
  }

  @Test
  void aReportedWindowIsInTheFile() throws Exception {
    Path source = DiskImages.random(dir.resolve("source"), 20 * MIB, 5);
    Path target = dir.resolve("target");
    copy(
        source,
        target,
        0,
        (end, moved) -> assertThat(prefix(target, end)).isEqualTo(prefix(source, end)));
  }

  @Test
  void resumeFromEachWindowIsIdentical() throws Exception {
    long size = 21 * MIB;
    Path source = DiskImages.random(dir.resolve("source"), size, 2);
    for (long stop = WINDOW; stop < size; stop += WINDOW) {
      Path target = dir.resolve("target-" + stop);
      long last = stop;
      assertThatThrownBy(() ->
              copy(
                  source,
                  target,
                  0,
                  (end, moved) -> {
                    if (end == last) {
                      throw new IOException("crash after " + end);
                    }
                  }))
          .hasMessageContaining("crash after");
      // After a crash any bytes may follow the durable part.
      DiskImages.fill(target, stop + 100, 3 * MIB, 0xee);
      resume(source, target, stop, NOBODY);
      assertThat(DiskImages.same(source, target)).isTrue();
    }
  }

  @Test
  void resumeAtTheEndHasNothingToDo() throws Exception {
    Path source = DiskImages.random(dir.resolve("source"), 5 * MIB, 9);
    Path target = dir.resolve("target");
    copy(source, target, 0, NOBODY);
    assertThat(resume(source, target, 5 * MIB, NOBODY)).isEqualTo(new CopyFigures(0, 0, 0, 0));
    assertThat(DiskImages.same(source, target)).isTrue();
  }

  @Test
  void stopInTheMiddleThenResume() throws Exception {
    Path source = DiskImages.random(dir.resolve("source"), 64 * MIB, 3);
    Path target = dir.resolve("target");
    CopyControl control = new CopyControl();
    long[] durable = {0};
    try (Source from = RawFileSource.open(source);
        RawTarget to = RawTarget.create(NativeFile.createNew(target), from.size())) {
      assertThatThrownBy(() ->
              WindowCopier.copy(
                  from,
                  to,
                  new CopyPlan(0, CopyPace.USUAL.withWindow(WINDOW)),
                  Throttle.unlimited(),
                  control,
                  (end, moved) -> {
                    durable[0] = end;
                    control.stop();
                  }))
          .isInstanceOf(CopyStopped.class);
    }
    assertThat(durable[0]).isBetween(WINDOW, 63L * MIB);
    resume(source, target, durable[0], NOBODY);
    assertThat(DiskImages.same(source, target)).isTrue();
  }

  @Test
  void aSlowWindowIsReportedInParts() throws Exception {
    Path source = DiskImages.random(dir.resolve("source"), 32 * MIB, 4);
    Path target = dir.resolve("target");
    CopyControl control = new CopyControl();
    List<Long> ends = new ArrayList<>();
    try (Source from = RawFileSource.open(source);
        RawTarget to = RawTarget.create(NativeFile.createNew(target), from.size())) {
      assertThatThrownBy(() ->
              WindowCopier.copy(
                  from,
                  to,
                  CopyPlan.fromStart(),
                  new Throttle(8 * MIB),
                  control,
                  (end, moved) -> {
                    ends.add(end);
                    if (ends.size() == 2) {
                      control.stop();
                    }
                  }))
          .isInstanceOf(CopyStopped.class);
    }
    assertThat(ends).hasSize(2).isSorted().allMatch(end -> end > 0 && end < 32 * MIB);
    assertThat(prefix(target, ends.getLast())).isEqualTo(prefix(source, ends.getLast()));
    resume(source, target, ends.getLast(), NOBODY);
    assertThat(DiskImages.same(source, target)).isTrue();
  }

  @Test
  void aReportedStretchOutlivesAPowerCut() throws Exception {
    try (LoopFilesystem xfs = LoopFilesystem.mountXfs(dir)) {
      for (int cut = 1; cut <= 3; cut++) {
        Path source = DiskImages.random(dir.resolve("source-" + cut), 40 * MIB, cut);
        Path target = xfs.path().resolve("target-" + cut);
        long reported = copyUntilPowerCut(xfs, source, target, cut);
        assertThat(prefix(target, reported)).isEqualTo(prefix(source, reported));
        resume(source, target, reported, NOBODY);
        assertThat(DiskImages.same(source, target)).isTrue();
      }
    }
  }

  /** Returns the offset that the last report gave as durable. */
  private long copyUntilPowerCut(LoopFilesystem xfs, Path source, Path target, int reports)
      throws Exception {
    List<Long> ends = new ArrayList<>();
    RawTarget.create(NativeFile.createNew(target), Files.size(source)).close();
    xfs.force();
    assertThatThrownBy(() ->
            resume(
                source,
                target,
                0,
                (end, moved) -> {
                  ends.add(end);
                  if (ends.size() == reports) {
                    xfs.cutPower();
                  }
                }))
        .isInstanceOf(IOException.class);
    xfs.restorePower();
    return ends.getLast();
  }

  @Test
  void stopWakesAThrottledCopy() throws Exception {
    Path source = dir.resolve("source");
    DiskImages.fill(source, 0, 8 * MIB, 1);
    CopyControl control = new CopyControl();
    Throttle crawl = new Throttle(1);
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    try (Source from = RawFileSource.open(source);
        RawTarget to = RawTarget.create(NativeFile.createNew(dir.resolve("target")), from.size())) {
      Thread copying = start(from, to, crawl, control, thrown);
      control.stop();
      copying.join(10_000);
      assertThat(copying.isAlive()).isFalse();
    }
    assertThat(thrown.get()).isInstanceOf(CopyStopped.class);
  }

  @Test
  void interruptEndsTheCopyAndLeavesTheFilesOpen() throws Exception {
    Path source = dir.resolve("source");
    DiskImages.fill(source, 0, 8 * MIB, 1);
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    try (Source from = RawFileSource.open(source);
        RawTarget to = RawTarget.create(NativeFile.createNew(dir.resolve("target")), from.size())) {
      Thread copying = start(from, to, new Throttle(1), new CopyControl(), thrown);
      copying.interrupt();
      copying.join(10_000);
      assertThat(copying.isAlive()).isFalse();
      to.flush();
      assertThat(from.extents(0, 1)).isNotEmpty();
    }
    assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
  }

  @Test
  void anEmptyDiskOfEightTebibytesIsCopiedAtOnce() throws Exception {
    long size = 8L << 40;
    Path source = DiskImages.hole(dir.resolve("source"), size);
    List<Long> ends = new ArrayList<>();
    copyBy(CopyPlan.fromStart(), source, dir.resolve("target"), (end, moved) -> ends.add(end));
    assertThat(ends).containsExactly(size);
    assertThat(Files.size(dir.resolve("target"))).isEqualTo(size);
  }

  @Test
  void blocksAreSharedWhereTheFilesystemDoes() throws Exception {
    try (LoopFilesystem xfs = LoopFilesystem.mountXfs(dir)) {
      long size = 40 * MIB + 512;
      Path source = DiskImages.random(xfs.path().resolve("source"), size, 6);
      Path target = xfs.path().resolve("target");
      List<Long> ends = new ArrayList<>();
      CopyFigures figures = copy(source, target, 0, (end, moved) -> ends.add(end));
      assertThat(figures.read()).isZero();
      assertThat(figures.cloned()).isPositive();
      assertThat(ends).containsExactly(size);
      assertThat(DiskImages.same(source, target)).isTrue();
      DiskImages.fill(source, 0, 30 * MIB, 0xcc);
      resume(source, target, 20 * MIB, NOBODY);
      assertThat(Files.mismatch(source, target)).isBetween(0L, 20L * MIB);
    }
  }

  @Test
  void aChainOfThreeBecomesOneRawFile() throws Exception {
    try (LoopFilesystem xfs = LoopFilesystem.mountXfs(dir)) {
      for (Path place : new Path[] {dir, xfs.path()}) {
        Children children = new Children(new Spawner(), "test");
        Tools tools = new Tools(children);
        Path top = tools.chainOfThree(place, 33 * MIB + 512, 40 * MIB + 1024, 31);
        Path flat = place.resolve("flat");
        tools.run(
            "qemu-img", "convert", "-f", "qcow2", "-O", "raw", top.toString(), flat.toString());
        Path target = place.resolve("target");
        try (Source from = ImageCopy.open(children, dir, top, VolumeFormat.QCOW2);
            RawTarget to = RawTarget.create(NativeFile.createNew(target), from.size())) {
          CopyFigures figures =
              WindowCopier.copy(
                  from,
                  to,
                  new CopyPlan(0, CopyPace.USUAL.withWindow(WINDOW)),
                  Throttle.unlimited(),
                  new CopyControl(),
                  NOBODY);
          assertThat(figures.cloned() > 0).isEqualTo(place.equals(xfs.path()));
        }
        assertThat(DiskImages.same(flat, target)).isTrue();
        children.stopAll(Duration.ofSeconds(20));
      }
    }
  }

  @Test
  void aTargetThatAnotherProcessUsesIsRefused() throws Exception {
    try (RawTarget first = RawTarget.create(NativeFile.createNew(dir.resolve("target")), MIB)) {
      assertThatThrownBy(() -> RawTarget.reopen(NativeFile.openWrite(first.path()), 0, MIB))
          .hasMessageContaining("another process is using");
    }
    RawTarget.reopen(NativeFile.openWrite(dir.resolve("target")), 0, MIB).close();
  }

  private static Thread start(
      Source from,
      RawTarget to,
      Throttle throttle,
      CopyControl control,
      AtomicReference<Throwable> thrown)
      throws InterruptedException {
    CountDownLatch started = new CountDownLatch(1);
    Thread thread =
        Thread.ofPlatform()
            .start(() -> {
              started.countDown();
              try {
                WindowCopier.copy(from, to, CopyPlan.fromStart(), throttle, control, NOBODY);
              } catch (IOException | InterruptedException e) {
                thrown.set(e);
              }
            });
    started.await();
    return thread;
  }

  private static CopyFigures copy(Path source, Path target, long start, WindowListener listener)
      throws IOException, InterruptedException {
    return copyBy(new CopyPlan(start, CopyPace.USUAL.withWindow(WINDOW)), source, target, listener);
  }

  private static CopyFigures copyBy(
      CopyPlan plan, Path source, Path target, WindowListener listener)
      throws IOException, InterruptedException {
    try (Source from = RawFileSource.open(source);
        RawTarget to = RawTarget.create(NativeFile.createNew(target), from.size())) {
      return WindowCopier.copy(from, to, plan, Throttle.unlimited(), new CopyControl(), listener);
    }
  }

  private static CopyFigures resume(Path source, Path target, long start, WindowListener listener)
      throws IOException, InterruptedException {
    try (Source from = RawFileSource.open(source);
        RawTarget to = RawTarget.reopen(NativeFile.openWrite(target), start, from.size())) {
      CopyPlan plan = new CopyPlan(start, CopyPace.USUAL.withWindow(WINDOW));
      return WindowCopier.copy(from, to, plan, Throttle.unlimited(), new CopyControl(), listener);
    }
  }

  private static byte[] prefix(Path file, long length) throws IOException {
    try (var in = Files.newInputStream(file)) {
      return in.readNBytes((int) length);
    }
  }
}
