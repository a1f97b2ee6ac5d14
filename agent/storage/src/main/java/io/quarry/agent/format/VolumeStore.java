package io.quarry.agent.format;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.FileModes;
import io.quarry.agent.data.os.FileStatus;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.os.Processes;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.data.qemu.FileUse;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.Witness;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The files of volumes: only this class makes, opens, protects and removes them. A frozen file has
 * no write permission. So a domain whose definition is out of date fails to open the file, and
 * changes no snapshot. The agent may run without root rights, too: it thaws a frozen file before it
 * or its tools open the file for writing.
 *
 * <p>Calls may come from several threads at once.
 */
public final class VolumeStore {
  static final int ANY_GROUP = -1;

  private final Folder folder;
  private final Protection protection;

  /**
   * How the files are protected.
   *
   * @param group that volumes belong to; {@link #ANY_GROUP} leaves them in the group of their
   *     makers
   * @param modes whether the filesystem keeps modes; without modes no file is frozen
   * @param immutable whether frozen files are immutable for root, too
   * @param thawsImmutable whether this agent can thaw a file that another host has made immutable
   */
  record Protection(int group, boolean modes, boolean immutable, boolean thawsImmutable) {
    static final Protection USUAL = new Protection(ANY_GROUP, true, false, true);
  }

  VolumeStore(Folder folder, Protection protection) {
    this.folder = folder;
    this.protection = protection;
  }

  /** How frozen files are protected, in the API's terms. */
  public String frozenFiles() {
    if (!protection.modes()) {
      return "unprotected";
    }
    return protection.immutable() ? "immutable" : "readOnly";
  }

  /** The hosts whose processes {@link #writer} sees, in the API's terms. */
  public String writersSeen() {
    return "thisHost";
  }

  /** The folder, for code that writes a file's first bytes; the file is writable. */
  public Folder folder() {
    return folder;
  }

  /** The layer by which tools open a volume. */
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

  /**
   * Opens a file that is being made for reading and writing; an earlier worker may have frozen the
   * file.
   */
  public NativeFile openWrite(String file) throws IOException {
    thaw(file);
    return folder.openWrite(file);
  }

  /**
   * Removes the write permission, durably; a process that has the file open can still write. The
   * witness covers everything that was written: the file is forced, then opened once more.
   */
  public Witness freeze(String file) throws IOException {
    protect(file, FileModes.FROZEN_VOLUME);
    try (NativeFile open = folder.openRead(file)) {
      open.sync();
    }
    return look(file);
  }

  /**
   * The witness of the file as it is now. The file is opened anew, so that a network filesystem
   * shows its newest state.
   */
  private Witness look(String file) throws IOException {
    try (NativeFile open = folder.openRead(file)) {
      FileStatus now = open.status();
      return new Witness(now.size(), now.modified());
    }
  }

  /**
   * The witness of a file that differs from what the log has witnessed. Null when the file is
   * unchanged, or when the log has no witness of the file.
   */
  public @Nullable Witness changed(Volume volume) throws IOException {
    if (volume.witness() == null) {
      return null;
    }
    Witness now = look(String.valueOf(volume.file()));
    return now.equals(volume.witness()) ? null : now;
  }

  /** Whether this agent can thaw the file, which another host may have made immutable. */
  public boolean mayThaw(String file) throws IOException {
    return protection.thawsImmutable() || !folder.status(file).immutable();
  }

  /** Restores the write permission, durably. */
  public void thaw(String file) throws IOException {
    protect(file, FileModes.VOLUME);
  }

  /** Freezes or thaws the file; false when the file needs no change, which costs one look. */
  public boolean protect(String file, boolean frozen) throws IOException {
    int mode = frozen ? FileModes.FROZEN_VOLUME : FileModes.VOLUME;
    if (isAsItShouldBe(folder.status(file), mode)) {
      return false;
    }
    protect(file, mode);
    return true;
  }

  private void protect(String name, int mode) throws IOException {
    try (NativeFile file = folder.openRead(name)) {
      FileStatus status = file.status();
      if (isAsItShouldBe(status, mode)) {
        return;
      }
      if (status.immutable()) {
        file.setImmutable(false);
      }
      if (protection.group() != ANY_GROUP) {
        file.setOwner(-1, protection.group());
      }
      file.setMode(mode);
      if (protection.immutable() && mode == FileModes.FROZEN_VOLUME) {
        file.setImmutable(true);
      }
      file.sync();
    }
  }

  /** A frozen file that an administrator has made immutable may stay so. */
  private boolean isAsItShouldBe(FileStatus status, int mode) {
    boolean frozen = mode == FileModes.FROZEN_VOLUME;
    boolean attribute =
        frozen ? status.immutable() || !protection.immutable() : !status.immutable();
    return (status.mode() == mode || !protection.modes())
        && attribute
        && (protection.group() == ANY_GROUP || status.gid() == protection.group());
  }

  /** How QEMU uses the file, on this host alone. */
  public FileUse use(String file) throws IOException {
    try (NativeFile open = folder.openRead(file)) {
      return FileUse.of(open);
    }
  }

  /**
   * Names the process of this host that writes to the file. Empty for a file that is missing or
   * cannot be opened: the code that needs the file reports that.
   */
  public Optional<String> writer(String file) throws IOException {
    try {
      return use(file) == FileUse.WRITER
          ? Processes.writingTo(file).or(() -> Optional.of("a process on this host"))
          : Optional.empty();
    } catch (FileFailure e) {
      if (e.isNoFile() || e instanceof FileFailure.Forbidden) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** Frees a name; false when the name is free. */
  public boolean remove(String file) throws IOException {
    try {
      return folder.remove(file);
    } catch (FileFailure e) {
      if (!folder.status(file).immutable()) {
        throw e;
      }
    }
    thaw(file);
    return folder.remove(file);
  }

  /**
   * Bytes that the file takes of the storage; 0 when there is no file, or none that an agent made.
   */
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
