package io.quarry.it.failover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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
  private static final String MAIN = "main";
  private static final int DISKS = 30;
  private static final long DISK_BYTES = 64 << 10;
  private static final Pattern GRANTED_CLEAN =
      Pattern.compile("\"id\":\"clean-[^{}]*\"epoch\":(\\d+)");

  @TempDir private Path directory;

  @Test
  void eachHostDoesWhatItWasGranted() throws Exception {
    try (Box box = Box.pair(directory, MAIN)) {
      List<String> disks = new ArrayList<>();
      for (int i = 0; i < DISKS; i++) {
        disks.add(Box.disk(box.client(i % 2), MAIN, DISK_BYTES).imageId());
      }
      for (int i = 0; i < DISKS; i++) {
        StorageClient client = box.client(i % 2);
        Box.awaitOptimized(client, MAIN, disks.get(i));
        client.removeImage(MAIN, disks.get(i), RemoveImageOptions.DEFAULT, null);
      }
      await()
          .atMost(Box.PATIENCE)
          .untilAsserted(() -> assertThat(box.client(0).listFixes(MAIN, 0)).isEmpty());
    }
    assertThat(epochsOfCleans(directory.resolve("storage").resolve(MAIN).resolve("log")))
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
