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
 * The files of volumes: the one place that makes, opens, protects and removes them. A frozen file
 * has no write permission. So a domain that still names yesterday's file fails to open the file,
 * and changes no snapshot. The agent may be no root either: a frozen file is thawed before the
 * agent or a tool of the agent opens the file for writing.
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
   * @param group that volumes belong to; {@link #ANY_GROUP} leaves them in that of their makers
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

  /** How frozen files are protected, as the API says it. */
  public String frozenFiles() {
    if (!protection.modes()) {
      return "unprotected";
    }
    return protection.immutable() ? "immutable" : "readOnly";
  }

  /** Of which hosts {@link #writer} sees processes, as the API says it. */
  public String writersSeen() {
    return "thisHost";
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

  /**
   * Takes the permission to write, durably; a process that has the file open keeps its own. All
   * that was written counts in the answer: the file is forced, then opened once more.
   */
  public Witness freeze(String file) throws IOException {
    protect(file, FileModes.FROZEN_VOLUME);
    try (NativeFile open = folder.openRead(file)) {
      open.sync();
    }
    return look(file);
  }

  /** What the file looks like by an open of its own, as a client of a network gets it fresh. */
  private Witness look(String file) throws IOException {
    try (NativeFile open = folder.openRead(file)) {
      FileStatus now = open.status();
      return new Witness(now.size(), now.modified());
    }
  }

  /**
   * What the file looks like by now when that is not what the log has witnessed; null when the file
   * is as it was, or when the log has no witness of the file.
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

  /** Gives the permission to write back, durably. */
  public void thaw(String file) throws IOException {
    protect(file, FileModes.VOLUME);
  }

  /** Freezes or thaws the file; false for a file that is as it should be, which costs one look. */
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
   * Names the process of this host that writes to the file. Nothing is said of a file that is not
   * there or cannot be opened: whoever needs the file will say so.
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
