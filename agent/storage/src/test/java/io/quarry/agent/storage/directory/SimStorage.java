package io.quarry.agent.storage.directory;

import io.quarry.agent.data.os.SimFolder;
import io.quarry.agent.storage.Genesis;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.plan.Feature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/** Repositories on simulated filesystems. */
public final class SimStorage {
  private static final List<String> DIRECTORIES = List.of("log", "fixes", "volumes", "tmp");

  private SimStorage() {}

  public static void create(Path root) throws IOException {
    for (String directory : DIRECTORIES) {
      Files.createDirectories(root.resolve(directory));
    }
    try (DirectorySlotStore slots = new DirectorySlotStore(new SimFolder(root), "creator")) {
      CommitLog.create(slots);
    }
  }

  /**
   * @param writer unique among all lives
   */
  public static DirectoryStorage open(Path root, String key, String writer) throws IOException {
    Genesis genesis =
        new Genesis(
            LocalfsFormat.NAME,
            Genesis.VERSION,
            key,
            Instant.EPOCH,
            "secret",
            Feature.KNOWN,
            null,
            null,
            null);
    return new DirectoryStorage(
        new SimFolder(root),
        genesis,
        DirectoryStorage.LARGEST_FILE_ASKED,
        DirectoryVolumes.Protection.USUAL,
        writer);
  }
}
