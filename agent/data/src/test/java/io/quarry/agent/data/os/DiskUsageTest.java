package io.quarry.agent.data.os;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DiskUsageTest {
  private static final int MIB = 1 << 20;

  @TempDir private Path directory;

  @Test
  void holesTakeNothing() throws Exception {
    Path file = directory.resolve("sparse.raw");
    try (var open = new RandomAccessFile(file.toFile(), "rw")) {
      open.setLength(64L * MIB);
      assertThat(DiskUsage.allocated(file)).isLessThan(MIB);
      open.seek(32L * MIB);
      open.write(new byte[2 * MIB]);
      open.getFD().sync();
    }
    assertThat(DiskUsage.allocated(file)).isBetween(2L * MIB, 3L * MIB);
  }

  @Test
  void missingFileTakesNothing() throws Exception {
    assertThat(DiskUsage.allocated(directory.resolve("gone.raw"))).isZero();
  }
}
