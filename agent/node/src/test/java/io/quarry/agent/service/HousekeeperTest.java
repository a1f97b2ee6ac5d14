package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.OddFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class HousekeeperTest {
  @TempDir private Path directory;

  /** 12.22: the sweep deleted files behind a link, and waited for a FIFO. */
  @Test
  void sweepFreesOldNamesAndNothingBehindThem() throws Exception {
    Path tmp = Files.createDirectory(directory.resolve("tmp"));
    Path outside = Files.write(directory.resolve("outside"), new byte[] {1});
    Path folder = Files.createDirectory(directory.resolve("folder"));
    Files.createFile(folder.resolve("inside"));
    for (OddFiles odd : OddFiles.values()) {
      odd.make(tmp.resolve(odd.name()), outside);
    }
    Files.createSymbolicLink(tmp.resolve("LINK_TO_DIRECTORY"), folder);
    Files.createFile(tmp.resolve("file with a foreign name"));
    Files.createFile(tmp.resolve(".nfs000000000000001"));
    try (Folder open = Folder.open(tmp)) {
      assertThat(Housekeeper.sweep(open, Instant.now())).isZero();
      int links = OddFiles.values().length;
      assertThat(Housekeeper.sweep(open, Instant.now().plus(Duration.ofHours(2))))
          .isEqualTo(links + 1);
      assertThat(open.names())
          .containsExactlyInAnyOrder(OddFiles.DIRECTORY.name(), ".nfs000000000000001");
    }
    assertThat(outside).hasBinaryContent(new byte[] {1});
    assertThat(folder.resolve("inside")).exists();
  }
}
