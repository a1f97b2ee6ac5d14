package io.quarry.agent.service;

import io.quarry.agent.data.os.NativeFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What files really take on a storage. */
final class DiskUsage {
  private DiskUsage() {}

  /** Bytes of the file that are not holes; 0 when there is no such file. */
  static long allocated(Path path) throws IOException {
    if (!Files.exists(path)) {
      return 0;
    }
    try (NativeFile file = NativeFile.openRead(path)) {
      long bytes = 0;
      Optional<Long> data = file.nextData(0);
      while (data.isPresent()) {
        long end = file.nextHole(data.get());
        bytes += end - data.get();
        data = file.nextData(end);
      }
      return bytes;
    }
  }
}
