package io.quarry.agent.format;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.FileModes;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.NativeFile;
import java.io.IOException;
import java.util.UUID;

/**
 * Tries on the real storage what safety rests on: a forced write, a link that refuses a taken name,
 * a rename, a lock, the forcing of a directory. It leaves nothing behind.
 */
final class Probe {
  private static final int BYTES = 512;

  private Probe() {}

  /**
   * @param folder on the storage; temporary names are made in it
   * @throws IOException which says what the storage cannot do
   */
  static void run(Folder folder) throws IOException {
    String name = "probe." + UUID.randomUUID();
    String first = name + ".1";
    String second = name + ".2";
    String link = name + ".link";
    try {
      writeAndLock(folder, first);
      writeAndLock(folder, second);
      exclusiveLink(folder, first, second, link);
      rename(folder, second, first);
      folder.force();
    } finally {
      folder.remove(first);
      folder.remove(second);
      folder.remove(link);
    }
  }

  private static void writeAndLock(Folder folder, String name) throws IOException {
    try (NativeFile file = folder.createNew(name, FileModes.METADATA)) {
      file.write(0, new byte[BYTES]);
      file.sync();
      if (!file.tryLock(0, BYTES)) {
        throw new IOException("a fresh file cannot be locked");
      }
    }
  }

  private static void exclusiveLink(Folder folder, String first, String second, String link)
      throws IOException {
    folder.link(link, folder, first);
    try {
      folder.link(link, folder, second);
    } catch (FileFailure.Exists expected) {
      return;
    }
    throw new IOException("a hard link replaced a name that was taken");
  }

  private static void rename(Folder folder, String from, String to) throws IOException {
    folder.rename(to, folder, from);
    if (folder.names().contains(from) || folder.status(to).size() != BYTES) {
      throw new IOException("a rename did not do what it should");
    }
  }
}
