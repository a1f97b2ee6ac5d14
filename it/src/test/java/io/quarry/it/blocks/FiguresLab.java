package io.quarry.it.blocks;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.it.bench.BlockLatency;
import io.quarry.it.log.SharedLog;
import io.quarry.it.vm.GuestJava;
import io.quarry.it.vm.Lab;
import io.quarry.it.vm.SharedDisk;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;

/** Figures of the log on the virtual disk of a machine, next to what the disk itself can do. */
@Timeout(900)
@SuppressWarnings("SystemOut")
final class FiguresLab {
  private static final int COMMITS = 1_000;

  @Test
  void commitsNextToSingleWrites(TestInfo test) throws Exception {
    Path directory = Lab.emptyDirectory(test);
    Path image = directory.resolve("shared.raw");
    SharedLog.makeDisk(image);
    try (SharedDisk disk = SharedDisk.ofFile(directory, image)) {
      GuestJava measured =
          disk.hosts()
              .getFirst()
              .java(BlockLatency.class, SharedDisk.DEVICE, Integer.toString(COMMITS));
      measured.awaitSuccess();
      for (String what : List.of("BARE", "OPERATIONS", "COMMIT")) {
        List<String> found = measured.lines(what);
        assertThat(found).hasSize(1);
        System.out.printf("%s: p50 and p99 in ms: %s%n", what, found.getFirst());
      }
    } finally {
      Files.deleteIfExists(image);
    }
  }
}
