package io.quarry.agent.storage.directory;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.FileModes;
import io.quarry.agent.data.os.FileStatus;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.NativeFile;
import java.io.IOException;
import java.util.UUID;

/**
 * Tries the operations that safety depends on, on the real storage. These are a forced write, a
 * link that refuses a taken name, a rename, a lock, and the forcing of a directory. The probe
 * leaves no file behind.
 */
final class Probe {
  private static final int BYTES = 512;
  private static final long MIB = 1L << 20;

  private Probe() {}

  /**
   * @param folder on the storage; the probe makes temporary names in this folder
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

  /**
   * The size of the largest file that the storage takes from this process, down to a mebibyte.
   *
   * @param enough the probe asks for no larger file
   */
  static long largestFile(Folder folder, long enough) throws IOException {
    String name = "probe." + UUID.randomUUID();
    try (NativeFile file = folder.createNew(name, FileModes.METADATA)) {
      if (takes(file, enough)) {
        return enough;
      }
      long taken = 0;
      long refused = enough;
      while (refused - taken > MIB) {
        long middle = taken + (refused - taken) / 2;
        if (takes(file, middle)) {
          taken = middle;
        } else {
          refused = middle;
        }
      }
      return taken;
    } finally {
      folder.remove(name);
    }
  }

  /** The metadata of a file that this process has made. */
  static FileStatus made(Folder folder) throws IOException {
    String name = "probe." + UUID.randomUUID();
    try (NativeFile file = folder.createNew(name, FileModes.METADATA)) {
      return file.status();
    } finally {
      folder.remove(name);
    }
  }

  /** Gives a file to a group; a failure says why not. */
  static void giveGroup(Folder folder, int group) throws IOException {
    String name = "probe." + UUID.randomUUID();
    try (NativeFile file = folder.createNew(name, FileModes.METADATA)) {
      if (file.status().gid() != group) {
        file.setOwner(VolumeOptions.ANY, group);
      }
    } finally {
      folder.remove(name);
    }
  }

  /** Whether the storage keeps the mode of a file without write permission. */
  static boolean keepsModes(Folder folder) throws IOException {
    String name = "probe." + UUID.randomUUID();
    try (NativeFile file = folder.createNew(name, FileModes.VOLUME)) {
      file.setMode(FileModes.FROZEN_VOLUME);
      return folder.status(name).mode() == FileModes.FROZEN_VOLUME;
    } finally {
      folder.remove(name);
    }
  }

  /**
   * Makes a file immutable, and mutable again. The file has no name at that moment: a process that
   * is killed in between leaves no file that cannot be removed.
   */
  static void immutable(Folder folder) throws IOException {
    String name = "probe." + UUID.randomUUID();
    try (NativeFile file = folder.createNew(name, FileModes.VOLUME)) {
      folder.remove(name);
      file.setImmutable(true);
      file.setImmutable(false);
    } finally {
      folder.remove(name);
    }
  }

  private static boolean takes(NativeFile file, long size) throws IOException {
    try {
      file.truncate(size);
      return true;
    } catch (FileFailure e) {
      if (e.kind() == FileFailure.Kind.TOO_LARGE) {
        return false;
      }
      throw e;
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
