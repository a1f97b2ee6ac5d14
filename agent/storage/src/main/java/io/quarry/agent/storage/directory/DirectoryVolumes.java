package io.quarry.agent.storage.directory;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.FileModes;
import io.quarry.agent.data.os.FileStatus;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.os.Processes;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.data.qemu.FileUse;
import io.quarry.agent.storage.VolumeStore;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.Witness;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Volumes as files of one folder: only this class makes, opens, protects and removes the files. A
 * frozen file has no write permission.
 */
public final class DirectoryVolumes implements VolumeStore {
  private final Folder folder;
  private final Protection protection;

  /**
   * How the files are protected.
   *
   * @param group that volumes belong to; {@link VolumeOptions#ANY} leaves them in the group of
   *     their makers
   * @param modes whether the filesystem keeps modes; without modes no file is frozen
   * @param immutable whether frozen files are immutable for root, too
   * @param thawsImmutable whether this agent can thaw a file that another host has made immutable
   */
  record Protection(int group, boolean modes, boolean immutable, boolean thawsImmutable) {
    static final Protection USUAL = new Protection(VolumeOptions.ANY, true, false, true);

    /** How frozen files are protected, in the API's terms. */
    String text() {
      if (!modes) {
        return "unprotected";
      }
      return immutable ? "immutable" : "readOnly";
    }
  }

  DirectoryVolumes(Folder folder, Protection protection) {
    this.folder = folder;
    this.protection = protection;
  }

  /** The folder, for code that writes a file's first bytes; the file is writable. */
  Folder folder() {
    return folder;
  }

  @Override
  public Path path(String file) {
    return folder.path(file);
  }

  @Override
  public FileStatus status(String file) throws IOException {
    return folder.status(file);
  }

  @Override
  public Chain.Layer layer(String file, VolumeFormat format) {
    return Chain.Layer.in(folder, file, format);
  }

  @Override
  public List<String> names() throws IOException {
    return folder.names().stream().filter(name -> !name.startsWith(Folder.REMOVED_ON_NFS)).toList();
  }

  @Override
  public NativeFile create(String file, long bytes) throws IOException {
    FaultPoints.reach("volume.creating");
    NativeFile made = folder.createNew(file, FileModes.VOLUME);
    try {
      // A quota of the group counts what is written from now on.
      giveToGroup(made, made.status());
      return made;
    } catch (IOException e) {
      made.close();
      throw e;
    }
  }

  private void giveToGroup(NativeFile file, FileStatus status) throws IOException {
    if (protection.group() != VolumeOptions.ANY && status.gid() != protection.group()) {
      file.setOwner(-1, protection.group());
    }
  }

  @Override
  public NativeFile openRead(String file) throws IOException {
    return folder.openRead(file);
  }

  @Override
  public NativeFile openWrite(String file) throws IOException {
    thaw(file);
    return folder.openWrite(file);
  }

  /**
   * Removes the write permission, durably; a process that has the file open can still write. The
   * witness covers everything that was written: the file is forced, then opened once more.
   */
  @Override
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

  @Override
  public @Nullable Witness changed(Volume volume) throws IOException {
    if (volume.witness() == null) {
      return null;
    }
    Witness now = look(String.valueOf(volume.file()));
    return now.equals(volume.witness()) ? null : now;
  }

  @Override
  public boolean mayThaw(String file) throws IOException {
    return protection.thawsImmutable() || !folder.status(file).immutable();
  }

  @Override
  public void thaw(String file) throws IOException {
    protect(file, FileModes.VOLUME);
  }

  @Override
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
      giveToGroup(file, status);
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
        && (protection.group() == VolumeOptions.ANY || status.gid() == protection.group());
  }

  @Override
  public FileUse use(String file) throws IOException {
    try (NativeFile open = folder.openRead(file)) {
      return FileUse.of(open);
    }
  }

  /**
   * Names the process of this host that writes to the file. Empty for a file that is missing or
   * cannot be opened: the code that needs the file reports that.
   */
  @Override
  public Optional<String> writer(String file) throws IOException {
    try {
      if (use(file) != FileUse.WRITER) {
        return Optional.empty();
      }
      Optional<String> here = Processes.writingTo(file);
      return here.isPresent() ? here : Optional.of(unnamedWriter());
    } catch (FileFailure e) {
      if (e.isNoFile() || e instanceof FileFailure.Forbidden) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** A file server knows the locks of all hosts; this host knows its own processes alone. */
  private String unnamedWriter() throws IOException {
    return folder.filesystem().nfs() ? "a process on some host" : "a process on this host";
  }

  @Override
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

  @Override
  public long allocated(String file) throws IOException {
    return folder.allocated(file);
  }

  @Override
  public long length(String file) throws IOException {
    try (NativeFile open = folder.openRead(file)) {
      return open.size();
    }
  }

  @Override
  public void force() throws IOException {
    folder.force();
  }

  void close() {
    folder.close();
  }
}
