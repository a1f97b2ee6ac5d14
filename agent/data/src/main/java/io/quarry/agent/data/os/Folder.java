package io.quarry.agent.data.os;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An open directory of a repository, through which the agent reaches its files. Only regular files
 * that the folder itself holds are opened. Links are not followed, FIFOs and devices are refused
 * without waiting, and a name is never a path. So neither the log, nor a listing, nor a foreign
 * file leads to any file outside of the repository. An interrupt does not end a call: the thread's
 * interrupt flag is set afterwards.
 *
 * <p>Failures are {@link FileFailure}s. Calls may come from several threads at once.
 */
public interface Folder extends AutoCloseable {
  /** Names of slots, volumes and fixes, and names of temporary files. */
  Pattern NAME = Pattern.compile("[0-9A-Za-z._@-]{1,255}");

  /**
   * The prefix of names that NFS clients give to open files that were removed; such files have no
   * meaning here.
   */
  String REMOVED_ON_NFS = ".nfs";

  /** Opens a directory by its path, and follows links, since the administrator chose the path. */
  static Folder open(Path directory) throws IOException {
    return SystemFolder.open(directory);
  }

  /** The path of the folder, for tools and messages. */
  Path path();

  /** The path of the file, for tools and messages. */
  default Path path(String name) {
    return path().resolve(name);
  }

  /** Opens this very directory once more, whatever its path leads to now. */
  Folder again() throws IOException;

  /** Opens a directory in this one. */
  Folder folder(String name) throws IOException;

  NativeFile openRead(String name) throws IOException;

  /** Opens the file for reading and writing. */
  NativeFile openWrite(String name) throws IOException;

  /** Creates a file for reading and writing; a taken name is a {@link FileFailure.Exists}. */
  NativeFile createNew(String name, int mode) throws IOException;

  /**
   * The metadata of whatever has the name. A network filesystem's client may answer from its cache.
   */
  FileStatus status(String name) throws IOException;

  /** All names but "." and "..", in no particular order, also of foreign files. */
  List<String> names() throws IOException;

  /**
   * Gives a file of another folder (or this one) a name here; a file that has the name already is
   * not replaced.
   */
  void link(String name, Folder from, String existing) throws IOException;

  /**
   * Moves a file of another folder (or this one) to a name here, and replaces a file that has the
   * name.
   */
  void rename(String name, Folder from, String existing) throws IOException;

  /** Frees a name; false when the name is free. A link's target stays as it is. */
  boolean remove(String name) throws IOException;

  /** Makes a directory in this one; false when the name is taken. */
  boolean createFolder(String name) throws IOException;

  /** Removes an empty directory; false when there is none. */
  boolean removeFolder(String name) throws IOException;

  /** Sets the group whose members may look up names in the folder, besides its owner. */
  void setGroup(int gid) throws IOException;

  /** Makes the current names durable. */
  void force() throws IOException;

  Filesystem filesystem() throws IOException;

  /** The kernel's number of the folder's mount; no file server is asked. */
  long mountId() throws IOException;

  @Override
  void close();

  /**
   * The whole content, or null when there is no such file.
   *
   * @param bytesMax the largest file that an agent could have written; a longer one is refused and
   *     not read
   */
  default byte @Nullable [] read(String name, int bytesMax) throws IOException {
    return ifThere(
        name,
        file -> {
          long size = file.size();
          if (size > bytesMax) {
            throw FileFailure.tooLong(path(name), size, bytesMax);
          }
          return file.bytes(0, (int) size);
        });
  }

  /** The first bytes of the content, or null when there is no such file. */
  default byte @Nullable [] readStart(String name, int bytesMax) throws IOException {
    return ifThere(name, file -> file.bytes(0, bytesMax));
  }

  /** Reads from an open file. */
  interface Reading {
    byte[] of(NativeFile file) throws IOException;
  }

  private byte @Nullable [] ifThere(String name, Reading reading) throws IOException {
    for (boolean again = false; ; again = true) {
      try (NativeFile file = openRead(name)) {
        return reading.of(file);
      } catch (FileFailure.NotFound e) {
        // When another host has removed the open file, the name may stand for a new one.
        if (again || !e.isStale()) {
          return null;
        }
      }
    }
  }

  /**
   * Bytes that the file takes of the storage; 0 when there is no file, or none that an agent made.
   */
  default long allocated(String name) throws IOException {
    try (NativeFile file = openRead(name)) {
      return file.status().allocatedBytes();
    } catch (FileFailure.Forbidden e) {
      return status(name).allocatedBytes();
    } catch (FileFailure e) {
      if (e.isNoFile()) {
        return 0;
      }
      throw e;
    }
  }
}
