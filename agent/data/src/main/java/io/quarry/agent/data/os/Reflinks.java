package io.quarry.agent.data.os;

import java.io.IOException;
import java.util.UUID;

/** Whether a filesystem lets files share blocks, so that a copy takes no space. */
public final class Reflinks {
  private static final long BLOCK_BYTES = 4096;

  private Reflinks() {}

  /**
   * Tries to share blocks, with files that are removed afterwards. A hole is enough for the answer.
   */
  public static boolean between(Folder from, Folder to) throws IOException {
    String name = "reflink." + UUID.randomUUID();
    String one = name + ".from";
    String other = name + ".to";
    try (NativeFile source = from.createNew(one, FileModes.METADATA);
        NativeFile target = to.createNew(other, FileModes.METADATA)) {
      source.truncate(BLOCK_BYTES);
      target.truncate(BLOCK_BYTES);
      return target.cloneRange(source, 0, BLOCK_BYTES, 0) == Outcome.DONE;
    } finally {
      from.remove(one);
      to.remove(other);
    }
  }
}
