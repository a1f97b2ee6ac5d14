package io.quarry.agent.format;

import io.quarry.agent.data.os.FileModes;
import io.quarry.agent.data.os.FileStatus;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.util.List;

/**
 * The files of volumes: the one place that makes, opens, protects and removes them. A frozen file
 * has no write permission. So a domain that still names yesterday's file fails to open the file,
 * and changes no snapshot. The agent may be no root either: a frozen file is thawed before the
 * agent or a tool of the agent opens the file for writing.
 *
 * <p>Calls may come from several threads at once.
 */
public final class VolumeStore {
  private final Folder folder;

  VolumeStore(Folder folder) {
    this.folder = folder;
  }

  /** For those who write a file's first bytes; the file is writable. */
  public Folder folder() {
    return folder;
  }

  /** What tools are told of a volume. */
  public Chain.Layer layer(String file, VolumeFormat format) {
    return Chain.Layer.in(folder, file, format);
  }

  /** All names, of foreign files too. */
  public List<String> names() throws IOException {
    return folder.names();
  }

  public NativeFile create(String file) throws IOException {
    return folder.createNew(file, FileModes.VOLUME);
  }

  public NativeFile openRead(String file) throws IOException {
    return folder.openRead(file);
  }

  /** To read and write a file that is being made; an earlier worker may have frozen the file. */
  public NativeFile openWrite(String file) throws IOException {
    thaw(file);
    return folder.openWrite(file);
  }

  /** Takes the permission to write, durably. A process that has the file open keeps its own. */
  public void freeze(String file) throws IOException {
    protect(file, FileModes.FROZEN_VOLUME);
  }

  /** Gives the permission to write back, durably. */
  public void thaw(String file) throws IOException {
    protect(file, FileModes.VOLUME);
  }

  /** Freezes or thaws the file; a file that is as it should be costs one look. */
  public void protect(String file, boolean frozen) throws IOException {
    int mode = frozen ? FileModes.FROZEN_VOLUME : FileModes.VOLUME;
    if (!isAsItShouldBe(folder.status(file), mode)) {
      protect(file, mode);
    }
  }

  private void protect(String name, int mode) throws IOException {
    try (NativeFile file = folder.openRead(name)) {
      if (!isAsItShouldBe(file.status(), mode)) {
        file.setMode(mode);
        file.sync();
      }
    }
  }

  private static boolean isAsItShouldBe(FileStatus status, int mode) {
    return status.mode() == mode;
  }

  /** Frees a name; false when the name is free. */
  public boolean remove(String file) throws IOException {
    return folder.remove(file);
  }

  /** Bytes that the file takes of the storage; 0 when there is none that could be ours. */
  public long allocated(String file) throws IOException {
    return folder.allocated(file);
  }

  /** Makes new and removed names durable. */
  public void force() throws IOException {
    folder.force();
  }

  void close() {
    folder.close();
  }
}
