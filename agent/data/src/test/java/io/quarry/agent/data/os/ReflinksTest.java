package io.quarry.agent.data.os;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.data.LoopFilesystem;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A copy that is wrongly taken for shared would be started, and would fill the storage. */
final class ReflinksTest {
  @TempDir private Path directory;

  @Test
  void onlyFilesOfOneFilesystemThatCanShareBlocks() throws Exception {
    try (LoopFilesystem xfs = LoopFilesystem.mountXfs(directory)) {
      Path one = Files.createDirectory(xfs.path().resolve("one"));
      Path other = Files.createDirectory(xfs.path().resolve("other"));
      Path outside = Files.createDirectory(directory.resolve("outside"));
      assertThat(share(one, other)).isTrue();
      assertThat(share(one, outside)).isFalse();
      assertThat(share(outside, other)).isFalse();
      assertThat(one).isEmptyDirectory();
      assertThat(other).isEmptyDirectory();
      assertThat(outside).isEmptyDirectory();
    }
  }

  private static boolean share(Path one, Path other) throws Exception {
    try (Folder from = Folder.open(one);
        Folder to = Folder.open(other)) {
      return Reflinks.between(from, to);
    }
  }
}
