package io.quarry.agent.storage.clvm;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.FileStatus;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.data.qemu.FileUse;
import io.quarry.agent.storage.VolumeStore;
import io.quarry.agent.storage.block.MappedDevices;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Allocation;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.Witness;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Volumes as extents of a logical volume. The log says which extents a volume has; this host has a
 * device for the volumes that it uses. A frozen volume's device is read-only.
 */
final class ClvmVolumes implements VolumeStore {
  /**
   * A new file reads as zeros this far: the header and the tables of a qcow2 file are here. What is
   * behind reads as it was left until it is written; a qcow2 file has no reference to it.
   */
  private static final long ZEROS_BYTES_MIN = 1 << 20;

  private final MappedDevices devices;
  private final Supplier<Attachments> attachments;
  private final long chunkBytes;
  private final DeviceOwners owners;
  private final Chain.Place place = new DevicePlace();

  /** The user, the group and the mode of the device nodes. */
  record DeviceOwners(int owner, int group, int mode) {}

  /**
   * @param attachments fails before this host takes part in the log
   */
  ClvmVolumes(
      MappedDevices devices,
      Supplier<Attachments> attachments,
      long chunkBytes,
      DeviceOwners owners) {
    this.devices = devices;
    this.attachments = attachments;
    this.chunkBytes = chunkBytes;
    this.owners = owners;
  }

  private Attachments attachments() {
    return attachments.get();
  }

  @Override
  public Chain.Layer layer(String name, VolumeFormat format) {
    return new Chain.Layer(devices.path(name), format, place);
  }

  /** The device of a file is made when the layer is opened: tools get its path afterwards. */
  private final class DevicePlace implements Chain.Place {
    @Override
    public NativeFile open(Path file) throws IOException {
      return openRead(String.valueOf(file.getFileName()));
    }

    @Override
    public long allocated(Path file) throws IOException {
      return ClvmVolumes.this.allocated(String.valueOf(file.getFileName()));
    }

    @Override
    public boolean isDevice() {
      return true;
    }
  }

  @Override
  public Path path(String name) {
    return devices.path(name);
  }

  @Override
  public List<String> names() {
    return attachments().extents().allocations().stream().map(Allocation::file).toList();
  }

  @Override
  public FileStatus status(String name) throws IOException {
    return FileStatus.ofDevice(length(name), owners.mode(), owners.owner(), owners.group());
  }

  @Override
  public NativeFile create(String name, long bytes) throws IOException {
    NativeFile file = NativeFile.openWrite(reserve(name, bytes));
    try {
      file.zero(0, Math.min(file.size(), Math.max(bytes, ZEROS_BYTES_MIN)));
      return file;
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** The file gets a chunk, or less for a small disk and in a repository that is almost full. */
  private Path reserve(String name, long bytes) throws IOException {
    long wanted = Math.max(bytes, Math.min(chunkBytes, attachments().bytesMax(name)));
    try {
      return attachments().create(name, wanted);
    } catch (FileFailure e) {
      if (e.kind() != FileFailure.Kind.NO_SPACE) {
        throw e;
      }
      return attachments().create(name, bytes);
    }
  }

  @Override
  public NativeFile openRead(String name) throws IOException {
    return opened(name, NativeFile::openRead);
  }

  @Override
  public NativeFile openWrite(String name) throws IOException {
    return opened(
        name,
        path -> {
          var _ = attachments().setReadOnly(name, false);
          return NativeFile.openWrite(path);
        });
  }

  /** Opens a device by its path. */
  private interface Opening {
    NativeFile open(Path path) throws IOException;
  }

  /** The device of a file that nobody has needed for a while may go just then. */
  private NativeFile opened(String name, Opening opening) throws IOException {
    try {
      return opening.open(attachments().reach(name));
    } catch (FileFailure.NotFound e) {
      return opening.open(attachments().reach(name));
    }
  }

  @Override
  public Witness freeze(String name) throws IOException {
    try (NativeFile file = openRead(name)) {
      file.sync();
    }
    var _ = attachments().setReadOnly(name, true);
    return new Witness(length(name), Instant.EPOCH);
  }

  @Override
  public void thaw(String name) throws IOException {
    attachments().reach(name);
    attachments().setReadOnly(name, false);
  }

  /** Volumes without a device on this host need none. */
  @Override
  public boolean protect(String name, boolean frozen) throws IOException {
    return isHere(name) && attachments().setReadOnly(name, frozen);
  }

  @Override
  public boolean mayThaw(String name) {
    return true;
  }

  /** Extents have no time of their last change. */
  @Override
  public @Nullable Witness changed(Volume volume) {
    return null;
  }

  /** No lock tells who uses a device; the log tells which hosts may. */
  @Override
  public FileUse use(String name) throws IOException {
    return attachments().mayBeInUse(name) ? FileUse.READER : FileUse.NONE;
  }

  @Override
  public Optional<String> writer(String name) {
    return Optional.empty();
  }

  @Override
  public boolean remove(String name) throws IOException {
    return attachments().remove(name);
  }

  @Override
  public long allocated(String name) throws IOException {
    Allocation allocation = attachments().find(name);
    return allocation == null ? 0 : allocation.extents() * ClvmStorage.EXTENT_BYTES;
  }

  @Override
  public long length(String name) throws IOException {
    long bytes = allocated(name);
    if (bytes == 0) {
      throw FileFailure.notFound(path(name), "stat");
    }
    return bytes;
  }

  private boolean isHere(String name) throws IOException {
    return devices.runs(name) != null;
  }

  /** A commit is durable when it is acknowledged. */
  @Override
  public void force() {}
}
