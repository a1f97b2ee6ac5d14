package io.quarry.agent.chaos;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;

/**
 * Each host's own path to the storage. It is a link, and leads elsewhere for a while as the path of
 * a mount does. One thread at a time.
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
   * @param storages where each host has the storage
   */
  public static StoragePaths make(Path directory, Map<String, Path> storages) throws IOException {
    StoragePaths ways = new StoragePaths(Files.createDirectories(directory), storages);
    for (String hostId : storages.keySet()) {
      ways.leadBack(hostId);
    }
    return ways;
  }

  /** What the host's agent is told. */
  public Path of(String hostId) {
    return directory.resolve(hostId);
  }

  /** In one step, as a mount is mounted over. */
  void lead(String hostId, Path where) throws IOException {
    Path link = directory.resolve(hostId + ".new");
    Files.createSymbolicLink(link, where);
    Files.move(link, of(hostId), StandardCopyOption.ATOMIC_MOVE);
  }

  /** Nothing is mounted there. */
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
