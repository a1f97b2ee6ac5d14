package io.quarry.agent.storage.directory;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.data.os.OddFiles;
import io.quarry.agent.storage.RepositoryStorage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SweepTest {
  @TempDir private Path directory;

  /** 12.22: the sweep deleted files behind a link, and waited for a FIFO. */
  @Test
  void sweepFreesOldNamesAndNothingBehindThem() throws Exception {
    Path root = Files.createDirectory(directory.resolve("repository"));
    Path tmp = root.resolve("tmp");
    Path outside = Files.write(directory.resolve("outside"), new byte[] {1});
    Path folder = Files.createDirectory(directory.resolve("folder"));
    Files.createFile(folder.resolve("inside"));
    try (RepositoryStorage storage =
        new LocalfsFormat().connect(Map.of("path", root.toString()), true, "test")) {
      for (OddFiles odd : OddFiles.values()) {
        odd.make(tmp.resolve(odd.name()), outside);
      }
      Files.createSymbolicLink(tmp.resolve("LINK_TO_DIRECTORY"), folder);
      Files.createFile(tmp.resolve("file with a foreign name"));
      Files.createFile(tmp.resolve(".nfs000000000000001"));
      assertThat(storage.sweep(Duration.ofHours(1))).isZero();
      int links = OddFiles.values().length;
      assertThat(storage.sweep(Duration.ofHours(-1))).isEqualTo(links + 1);
      try (Stream<Path> left = Files.list(tmp)) {
        assertThat(left.map(file -> file.getFileName().toString()))
            .containsExactlyInAnyOrder(OddFiles.DIRECTORY.name(), ".nfs000000000000001");
      }
    }
    assertThat(outside).hasBinaryContent(new byte[] {1});
    assertThat(folder.resolve("inside")).exists();
  }
}
