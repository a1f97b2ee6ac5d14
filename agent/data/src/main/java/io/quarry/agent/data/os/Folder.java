package io.quarry.agent.data.os;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An open directory of a repository, by which its files are reached. What is opened is a regular
 * file that the folder itself holds: a link is not followed, a FIFO or a device is refused without
 * waiting for it, and a name is never a path. So neither the log, nor a listing, nor a foreign file
 * in a repository leads to anything outside of it. An interrupt ends nothing: it shows afterwards.
 *
 * <p>What fails is a {@link FileFailure}. Calls may come from several threads at once.
 */
public interface Folder extends AutoCloseable {
  /** Names of slots, volumes and fixes, and those made up for temporary files. */
  Pattern NAME = Pattern.compile("[0-9A-Za-z._@-]{1,255}");

  /** How the names begin that NFS clients give to what is open and removed: they mean nothing. */
  String REMOVED_ON_NFS = ".nfs";

  /** A directory of the system's filesystems, wherever links lead to: the administrator's word. */
  static Folder open(Path directory) throws IOException {
    return SystemFolder.open(directory);
  }

  /** Where it is, for tools and messages. */
  Path path();

  /** Where the file is, for tools and messages. */
  default Path path(String name) {
    return path().resolve(name);
  }

  /** A directory in this one. */
  Folder folder(String name) throws IOException;

  NativeFile openRead(String name) throws IOException;

  /** To read and write. */
  NativeFile openWrite(String name) throws IOException;

  /** To read and write; a name that is taken is a {@link FileFailure.Exists}. */
  NativeFile createNew(String name, int mode) throws IOException;

  /** What is there under the name, of whatever kind. A network's client may know what was. */
  FileStatus status(String name) throws IOException;

  /** All names but "." and "..", in no particular order; of foreign files too. */
  List<String> names() throws IOException;

  /** Gives a file of another folder (or this one) a name here; a taken one is not replaced. */
  void link(String name, Folder from, String existing) throws IOException;

  /** Moves a file of another folder (or this one) to a name here, replacing what has it. */
  void rename(String name, Folder from, String existing) throws IOException;

  /** Frees a name; false when it is free. What a link points to stays as it is. */
  boolean remove(String name) throws IOException;

  /** Makes a directory in this one; false when the name is taken. */
  boolean createFolder(String name) throws IOException;

  /** Removes an empty directory; false when there is none. */
  boolean removeFolder(String name) throws IOException;

  /** Who may look for names in it, besides its owner. */
  void setGroup(int gid) throws IOException;

  /** Makes durable which names there are. */
  void force() throws IOException;

  Filesystem filesystem() throws IOException;

  @Override
  void close();

  /**
   * The whole content, or null when there is no such file.
   *
   * @param bytesMax of a file that could be ours; a longer one is refused and not read
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

  /** What is read of an open file. */
  interface Reading {
    byte[] of(NativeFile file) throws IOException;
  }

  private byte @Nullable [] ifThere(String name, Reading reading) throws IOException {
    for (boolean again = false; ; again = true) {
      try (NativeFile file = openRead(name)) {
        return reading.of(file);
      } catch (FileFailure.NotFound e) {
        // When another host removes the file that was opened, the name may stand for a new one.
        if (again || !e.isStale()) {
          return null;
        }
      }
    }
  }

  /** Bytes that the file takes of the storage; 0 when there is none that could be ours. */
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
