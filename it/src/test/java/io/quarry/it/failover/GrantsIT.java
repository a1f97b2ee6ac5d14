package io.quarry.it.failover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.RemoveImageOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every host runs its granted light fixes. A host that gave a grant up because its replica is a
 * commit behind would cause a second grant, which the log would show.
 */
@Timeout(120)
final class GrantsIT {
  private static final Duration SESSION = Duration.ofSeconds(15);
  private static final int DISKS = 30;
  private static final long DISK_BYTES = 64 << 10;
  private static final Pattern GRANTED_CLEAN =
      Pattern.compile("\"id\":\"clean-[^{}]*\"epoch\":(\\d+)");

  @TempDir private Path directory;

  @Test
  void eachHostDoesWhatItWasGranted() throws Exception {
    try (ThreeHosts hosts = ThreeHosts.start(directory, SESSION, 0)) {
      List<CreatedImage> disks = new ArrayList<>();
      for (int i = 0; i < DISKS; i++) {
        disks.add(
            ThreeHosts.createDisk(hosts.everywhere(), ThreeHosts.MAIN, DISK_BYTES, "disk-" + i));
      }
      for (CreatedImage disk : disks) {
        hosts.awaitOptimized(ThreeHosts.MAIN, disk.imageId(), disk.commit());
        hosts
            .everywhere()
            .removeImage(ThreeHosts.MAIN, disk.imageId(), RemoveImageOptions.DEFAULT, null);
      }
      await()
          .atMost(ThreeHosts.PATIENCE)
          .untilAsserted(
              () -> assertThat(hosts.everywhere().listFixes(ThreeHosts.MAIN, 0)).isEmpty());
    }
    assertThat(epochsOfCleans(directory.resolve(ThreeHosts.MAIN).resolve("log")))
        .as("grants of cleans")
        .contains(1L)
        .allMatch(epoch -> epoch <= 1);
  }

  private static List<Long> epochsOfCleans(Path log) throws IOException {
    List<Long> epochs = new ArrayList<>();
    try (Stream<Path> records = Files.list(log)) {
      for (Path record : records.toList()) {
        Matcher clean =
            GRANTED_CLEAN.matcher(Files.readString(record, StandardCharsets.ISO_8859_1));
        while (clean.find()) {
          epochs.add(Long.valueOf(clean.group(1)));
        }
      }
    }
    return epochs;
  }
}
