package io.quarry.agent.data.os;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/** Whether a filesystem lets files share blocks, so that a copy takes no space. */
public final class Reflinks {
  private static final long BLOCK_BYTES = 4096;

  private Reflinks() {}

  /** Tries it, with files that are gone afterwards. A hole is enough to be answered. */
  public static boolean between(Path fromDirectory, Path toDirectory) throws IOException {
    String name = "reflink." + UUID.randomUUID();
    Path one = fromDirectory.resolve(name + ".from");
    Path other = toDirectory.resolve(name + ".to");
    try (NativeFile from = NativeFile.createNew(one);
        NativeFile to = NativeFile.createNew(other)) {
      from.truncate(BLOCK_BYTES);
      to.truncate(BLOCK_BYTES);
      return to.cloneRange(from, 0, BLOCK_BYTES, 0) == Outcome.DONE;
    } finally {
      Files.deleteIfExists(one);
      Files.deleteIfExists(other);
    }
  }
}
