package io.quarry.agent.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.data.os.NativeFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PrefixCopyTest {
  private static final int MIB = 1 << 20;

  @TempDir Path dir;

  @Test
  void copiesOnlyThePrefix() throws Exception {
    assertPrefix(dir, 20 * MIB, 8 * MIB);
    assertThat(DiskImages.allocatedBytes(dir.resolve("new"))).isLessThan(8 * MIB);
  }

  @Test
  void sharesBlocksWhereTheFilesystemDoes() throws Exception {
    try (LoopFilesystem xfs = LoopFilesystem.mountXfs(dir)) {
      assertThat(assertPrefix(xfs.path(), 20 * MIB, 8 * MIB)).isEqualTo(PrefixCopy.Way.CLONED);
    }
  }

  @Test
  void aLateWriteIntoTheOldFileStaysThere() throws Exception {
    try (LoopFilesystem xfs = LoopFilesystem.mountXfs(dir)) {
      for (Path place : new Path[] {dir, xfs.path()}) {
        assertPrefix(place, 20 * MIB, 8 * MIB);
        byte[] before = Files.readAllBytes(place.resolve("new"));
        DiskImages.fill(place.resolve("old"), MIB, 12 * MIB, 0xbb);
        assertThat(Files.readAllBytes(place.resolve("new"))).isEqualTo(before);
      }
    }
  }

  @Test
  void anOldFileThatIsTooShortIsRefused() throws Exception {
    Path old = DiskImages.random(dir.resolve("old"), 4 * MIB, 1);
    try (RawTarget target = RawTarget.create(NativeFile.createNew(dir.resolve("new")), 20 * MIB)) {
      assertThatThrownBy(() ->
              PrefixCopy.copy(
                  NativeFile.openRead(old),
                  target,
                  8 * MIB,
                  CopyPace.USUAL,
                  Throttle.unlimited(),
                  new CopyControl()))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("ends before");
    }
  }

  @Test
  void stopIsHeeded() throws Exception {
    Path old = DiskImages.random(dir.resolve("old"), 4 * MIB, 1);
    CopyControl control = new CopyControl();
    control.stop();
    try (RawTarget target = RawTarget.create(NativeFile.createNew(dir.resolve("new")), 4 * MIB)) {
      assertThatThrownBy(() ->
              PrefixCopy.copy(
                  NativeFile.openRead(old),
                  target,
                  4 * MIB,
                  CopyPace.USUAL,
                  Throttle.unlimited(),
                  control))
          .isInstanceOf(CopyStopped.class);
    }
  }

  private static PrefixCopy.Way assertPrefix(Path place, long size, int end) throws Exception {
    Files.deleteIfExists(place.resolve("old"));
    Files.deleteIfExists(place.resolve("new"));
    Path old = DiskImages.random(place.resolve("old"), size, 77);
    Path fresh = place.resolve("new");
    PrefixCopy.Way way;
    try (RawTarget target = RawTarget.create(NativeFile.createNew(fresh), size)) {
      way =
          PrefixCopy.copy(
              NativeFile.openRead(old),
              target,
              end,
              CopyPace.USUAL,
              Throttle.unlimited(),
              new CopyControl());
    }
    byte[] expected = Files.readAllBytes(old);
    Arrays.fill(expected, end, expected.length, (byte) 0);
    assertThat(Files.readAllBytes(fresh)).isEqualTo(expected);
    return way;
  }
}
