package io.quarry.agent.storage.directory;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.FileModes;
import io.quarry.agent.data.os.Filesystem;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.coordinator.log.SlotStore.Reserve;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * The reserve that a repository keeps for a full storage: a file that occupies bytes, and empty
 * files that occupy inodes. A filesystem can run out of inodes before it runs out of bytes. The
 * ballast is released piece by piece, since other writers to a full storage take what is free.
 */
public final class Ballast {
  /** Enough for hundreds of records, at a block or two each. */
  public static final int BYTES = 4 << 20;

  static final int PIECE_BYTES = 64 << 10;

  /** A record takes one file. */
  public static final int FILES = 128;

  private static final int PIECE_FILES = 2;

  /** The ballast is not restored while less than this is free. */
  private static final long RESTORE_FREE_BYTES_MIN = 2L * BYTES;

  private static final long RESTORE_FREE_FILES_MIN = 2L * FILES;
  private static final String FILE = "ballast";
  private static final String FOLDER = "reserve";

  private final Folder root;
  private final Folder temporary;

  Ballast(Folder root, Folder temporary) {
    this.root = root;
    this.temporary = temporary;
  }

  /** Frees a piece of both kinds; false when no piece is left that may be taken. */
  boolean release(Reserve reserve) throws IOException {
    boolean bytes = releaseBytes(reserve.left(BYTES));
    boolean files = releaseFiles(reserve.left(FILES));
    return bytes || files;
  }

  private boolean releaseBytes(int left) throws IOException {
    try (NativeFile file = root.openWrite(FILE)) {
      long size = file.size();
      if (size <= left) {
        return false;
      }
      if (left > 0 || size > PIECE_BYTES) {
        file.truncate(Math.max(left, size - PIECE_BYTES));
        return true;
      }
    } catch (FileFailure.NotFound e) {
      return false;
    }
    return root.remove(FILE);
  }

  private boolean releaseFiles(int left) throws IOException {
    try (Folder folder = root.folder(FOLDER)) {
      List<String> names = folder.names();
      int released = Math.min(PIECE_FILES, names.size() - left);
      for (int i = 0; i < released; i++) {
        folder.remove(names.get(i));
      }
      return released > 0;
    } catch (FileFailure.NotFound e) {
      return false;
    }
  }

  /**
   * Restores both kinds; false when the storage is too full.
   *
   * @param written a name for a temporary file
   */
  boolean restore(String written) throws IOException {
    boolean bytes = hasBytes() || restoreBytes(written);
    return restoreFiles() && bytes;
  }

  private boolean hasBytes() throws IOException {
    try (NativeFile file = root.openRead(FILE)) {
      return file.size() == BYTES;
    } catch (FileFailure.NotFound e) {
      return false;
    }
  }

  private boolean restoreBytes(String written) throws IOException {
    if (root.filesystem().free() < RESTORE_FREE_BYTES_MIN) {
      return false;
    }
    try {
      // Random bytes, since a filesystem that compresses keeps no space for zeros.
      byte[] bytes = new byte[BYTES];
      new SplittableRandom(BYTES).nextBytes(bytes);
      try (NativeFile file = temporary.createNew(written, FileModes.METADATA)) {
        file.write(0, bytes);
        file.sync();
      }
      root.rename(FILE, temporary, written);
      return true;
    } finally {
      temporary.remove(written);
    }
  }

  private boolean restoreFiles() throws IOException {
    Filesystem filesystem = root.filesystem();
    boolean room =
        filesystem.hasRoomForFiles(RESTORE_FREE_FILES_MIN) && filesystem.free() >= PIECE_BYTES;
    if (room) {
      root.createFolder(FOLDER);
    }
    try (Folder folder = root.folder(FOLDER)) {
      List<String> missing = missing(folder);
      if (!room || missing.isEmpty()) {
        return missing.isEmpty();
      }
      for (String name : missing) {
        make(folder, name);
      }
      folder.force();
      return true;
    } catch (FileFailure.NotFound e) {
      return false;
    }
  }

  private static List<String> missing(Folder folder) throws IOException {
    Set<String> there = new HashSet<>(folder.names());
    List<String> missing = new ArrayList<>();
    for (int i = 0; i < FILES; i++) {
      String name = "file." + i;
      if (!there.contains(name)) {
        missing.add(name);
      }
    }
    return missing;
  }

  private static void make(Folder folder, String name) throws IOException {
    try {
      folder.createNew(name, FileModes.METADATA).close();
    } catch (FileFailure.Exists e) {
      // An SDM that does not know of its deposition restores the ballast, too.
      return;
    }
  }
}
