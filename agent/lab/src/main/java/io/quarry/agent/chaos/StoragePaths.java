package io.quarry.agent.chaos;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;

/**
 * Each host's own path to the storage. The path is a link that leads elsewhere for a while, as a
 * mount's path can. One thread at a time may call.
 */
public final class StoragePaths {
  private final Path directory;
  private final Map<String, Path> storages;

  private StoragePaths(Path directory, Map<String, Path> storages) {
    this.directory = directory;
    this.storages = Map.copyOf(storages);
  }

  /**
   * @param directory for the links
   * @param storages the storage's real path for each host
   */
  public static StoragePaths make(Path directory, Map<String, Path> storages) throws IOException {
    StoragePaths ways = new StoragePaths(Files.createDirectories(directory), storages);
    for (String hostId : storages.keySet()) {
      ways.leadBack(hostId);
    }
    return ways;
  }

  /** The path in the configuration of the host's agent. */
  public Path of(String hostId) {
    return directory.resolve(hostId);
  }

  /** Replaces the link in one step, as a new mount over the path does. */
  void lead(String hostId, Path where) throws IOException {
    Path link = directory.resolve(hostId + ".new");
    Files.createSymbolicLink(link, where);
    Files.move(link, of(hostId), StandardCopyOption.ATOMIC_MOVE);
  }

  /** Leads the path to an empty place, as without a mount. */
  void leadNowhere(String hostId) throws IOException {
    Files.delete(of(hostId));
  }

  void leadBack(String hostId) throws IOException {
    Path storage = storages.get(hostId);
    if (storage == null) {
      throw new IllegalArgumentException("no way of " + hostId);
    }
    lead(hostId, storage);
  }
}
