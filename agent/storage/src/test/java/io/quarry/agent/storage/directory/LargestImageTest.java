package io.quarry.agent.storage.directory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarry.agent.data.LoopFilesystem;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * 12.7: a disk of 64 TiB on ext4 was acknowledged, and the mend of its volume was tried for ever.
 */
final class LargestImageTest {
  private static final long TIB = 1L << 40;

  @Test
  void ext4RefusesWhatItsFilesCannotHold(@TempDir Path directory) throws Exception {
    try (LoopFilesystem ext4 = LoopFilesystem.mountExt4(directory, 64 << 20);
        RepositoryStorage storage = connect(ext4.path())) {
      // One file has 2^32 blocks of 1 KiB.
      assertThat(storage.traits().largestImage()).isBetween(4 * TIB - 2 * (TIB >> 10), 4 * TIB - 1);
      StorageException refusal =
          catchThrowableOfType(
              StorageException.class, () -> storage.requireHolds(Limits.IMAGE_BYTES_MAX));
      assertThat(refusal.code()).isEqualTo(ErrorCode.IMAGE_TOO_LARGE);
      assertThat(refusal).hasMessageContaining(Long.toString(storage.traits().largestImage()));
      assertThat(refusal.subject()).isEqualTo("size");
      assertThatCode(() -> storage.requireHolds(storage.traits().largestImage()))
          .doesNotThrowAnyException();
      assertThat(ext4.path().resolve("repository/tmp")).isEmptyDirectory();
    }
  }

  @Test
  void xfsHoldsAllThereMayBe(@TempDir Path directory) throws Exception {
    try (LoopFilesystem xfs = LoopFilesystem.mountXfs(directory);
        RepositoryStorage storage = connect(xfs.path())) {
      assertThat(storage.traits().largestImage()).isEqualTo(Limits.IMAGE_BYTES_MAX);
      storage.requireHolds(Limits.IMAGE_BYTES_MAX);
    }
  }

  private static RepositoryStorage connect(Path mountPoint) throws IOException {
    Path root = Files.createDirectory(mountPoint.resolve("repository"));
    return new LocalfsFormat().connect(Map.of("path", root.toString()), true, "host@life");
  }
}
