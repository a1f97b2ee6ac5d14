package io.quarry.agent.storage.clvm;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.Users;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.storage.Genesis;
import io.quarry.agent.storage.GenesisCodec;
import io.quarry.agent.storage.block.BlockConnection;
import io.quarry.agent.storage.block.BlockDevice;
import io.quarry.agent.storage.block.BlockSlotStore;
import io.quarry.agent.storage.block.DataLabel;
import io.quarry.agent.storage.block.FileBlockDevice;
import io.quarry.agent.storage.directory.VolumeOptions;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.plan.Feature;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Finds the two logical volumes of a repository, checks them, and opens the log. */
public final class ClvmConnection {
  public static final String FORMAT = "clvm-1.2";

  /** LVM looks at all disks that the host sees. */
  static final Duration DEADLINE = Duration.ofSeconds(30);

  /** How many hosts may write to the log of a new repository. */
  private static final int SLOTS = 64;

  private static final int ROOT_GROUP = 0;

  private final HostTool tool;
  private final Path stateDirectory;
  private final String hostKey;

  /**
   * A repository that is connected.
   *
   * @param key of the volume with the log
   * @param dataDevice keeps the volume active, and its number its own
   * @param data the volume whose extents volumes get, as it was when this host connected
   * @param slot of this host, which no other agent can take
   */
  public record Connected(
      Genesis genesis,
      BlockSlotStore log,
      String key,
      LogicalVolume data,
      BlockDevice dataDevice,
      StateSlot slot,
      LogicalVolumes volumes)
      implements AutoCloseable {
    /** The key of the repository that the volume with the log holds now, by its name. */
    @Nullable String keyAtPlace(ClvmParameters parameters) throws IOException {
      LogicalVolume meta = volumes.find(parameters.vg(), parameters.meta());
      try (BlockDevice device = FileBlockDevice.open(meta.node(), meta.path())) {
        return new BlockConnection(FORMAT, device, meta.key(), slot).repositoryKey();
      }
    }

    @Override
    public void close() {
      log.close();
      dataDevice.close();
      slot.close();
      volumes.close();
    }
  }

  /**
   * @param spawner starts the programs of the host
   * @param stateDirectory of the agent
   * @param hostKey sixteen bytes that no other host has, as hexadecimal digits
   */
  public ClvmConnection(Spawner spawner, Path stateDirectory, String hostKey) {
    this.tool = new HostTool(spawner, DEADLINE);
    this.stateDirectory = stateDirectory;
    this.hostKey = hostKey;
  }

  /**
   * Connects the repository. A refusal leaves nothing open, and nothing written on the volumes.
   *
   * @param create whether unused volumes may be made into a repository
   */
  public Connected connect(ClvmParameters parameters, boolean create) {
    Deque<Runnable> opened = new ArrayDeque<>();
    Connected connected = null;
    try {
      connected = connect(parameters, create, opened);
      return connected;
    } catch (IOException e) {
      throw failed(parameters.vg() + "/" + parameters.meta(), e);
    } finally {
      if (connected == null) {
        opened.forEach(Runnable::run);
      }
    }
  }

  /** Connects the repository, with what this host needs beside the log. */
  ClvmStorage storage(ClvmParameters parameters, boolean create) {
    Connected connected = connect(parameters, create);
    ClvmStorage storage = null;
    String meta = parameters.vg() + "/" + parameters.meta();
    try {
      LogicalVolume volume = connected.volumes().find(parameters.vg(), parameters.meta());
      storage = new ClvmStorage(connected, parameters, FileBlockDevice.open(volume.node(), meta));
      return storage;
    } catch (IOException e) {
      throw failed(meta, e);
    } finally {
      if (storage == null) {
        connected.close();
      }
    }
  }

  private static StorageException failed(String meta, IOException failure) {
    String remedy =
        switch (FileFailure.kindOf(failure)) {
          case NOT_FOUND -> "let the agent see the device nodes of this host in /dev";
          case FORBIDDEN -> "let the agent's user read and write the device nodes of " + meta;
          case null, default ->
              "see the agent's log, and this host's kernel log for errors of the disks below "
                  + meta;
        };
    return new StorageException(
        ErrorCode.REPOSITORY_UNUSABLE,
        meta + " cannot be used: " + failure.getMessage(),
        meta,
        remedy,
        failure);
  }

  private Connected connect(ClvmParameters parameters, boolean create, Deque<Runnable> opened)
      throws IOException {
    LogicalVolumes volumes = LogicalVolumes.open(tool, parameters.vg());
    opened.push(volumes::close);
    LogicalVolume meta = volumes.find(parameters.vg(), parameters.meta());
    LogicalVolume data = volumes.find(parameters.vg(), parameters.data());
    requireRoom(meta);
    BlockDevice device = FileBlockDevice.open(meta.node(), meta.path());
    opened.push(device::close);
    BlockDevice dataDevice = FileBlockDevice.open(data.node(), data.path());
    opened.push(dataDevice::close);
    requireSameVolume(volumes, parameters, data);
    StateSlot slot = StateSlot.open(stateDirectory, meta.key(), hostKey, meta.path());
    opened.push(slot::close);
    BlockConnection log = new BlockConnection(FORMAT, device, meta.key(), slot);
    BlockConnection.Connected found = log.connect();
    if (found == null) {
      requireUnused(create, meta, data, dataDevice);
      DataLabel.write(dataDevice, meta.key());
      found = log.create(fresh(parameters.nodes()), SLOTS);
    }
    requireLabel(meta, data, dataDevice);
    requireSame("owner", parameters.nodes().owner(), found.genesis().owner());
    requireSame("group", parameters.nodes().group(), found.genesis().group());
    return new Connected(found.genesis(), found.log(), meta.key(), data, dataDevice, slot, volumes);
  }

  /** The number belongs to the volume for as long as the device is open, and no longer. */
  private static void requireSameVolume(
      LogicalVolumes volumes, ClvmParameters parameters, LogicalVolume opened) throws IOException {
    LogicalVolume now = volumes.find(parameters.vg(), parameters.data());
    if (!now.uuid().equals(opened.uuid()) || !now.number().equals(opened.number())) {
      throw LvmFailure.unusable(
          opened.path(),
          opened.path() + " became another device while it was opened",
          "connect the repository again");
    }
  }

  /** Volumes are found by the log alone: with other data each of them would be another's bytes. */
  private static void requireLabel(LogicalVolume meta, LogicalVolume data, BlockDevice dataDevice)
      throws IOException {
    String remedy = "give the logical volume as data that the repository was created with";
    switch (DataLabel.owner(dataDevice, meta.key())) {
      case THIS_LOG -> {}
      case NOBODY ->
          throw LvmFailure.unusable(
              data.path(),
              data.path() + " does not hold the volumes of the log in " + meta.path(),
              remedy);
      case ANOTHER_LOG ->
          throw LvmFailure.unusable(
              data.path(),
              data.path() + " holds the volumes of another log than that in " + meta.path(),
              remedy);
    }
  }

  private static void requireRoom(LogicalVolume meta) {
    if (meta.bytes() < BlockConnection.DEVICE_BYTES_MIN) {
      throw LvmFailure.unusable(
          meta.path(),
          meta.path() + " has " + meta.bytes() + " bytes, which is too small for a log",
          "make it larger on one host: lvextend --size 8G "
              + meta.path()
              + "; at least "
              + BlockConnection.DEVICE_BYTES_MIN
              + " bytes are needed. Then run lvchange --refresh "
              + meta.path()
              + " on each host");
    }
  }

  private void requireUnused(
      boolean create, LogicalVolume meta, LogicalVolume data, BlockDevice dataDevice)
      throws IOException {
    if (!create) {
      throw LvmFailure.unusable(
          meta.path(),
          meta.path() + " holds no repository",
          "give the logical volume that holds the log as meta; to make two unused volumes into a"
              + " repository, run `quarry repo create`");
    }
    ForeignContent foreign = new ForeignContent(tool);
    foreign.requireNone(meta.node(), meta.path());
    foreign.requireNone(data.node(), data.path());
    if (DataLabel.owner(dataDevice, meta.key()) == DataLabel.Owner.ANOTHER_LOG) {
      throw LvmFailure.unusable(
          data.path(),
          data.path() + " holds the volumes of another repository",
          "give another logical volume as data; or, if that repository is not needed, run dd"
              + " if=/dev/zero bs=4096 count=1 oflag=direct of=/dev/"
              + data.path());
    }
  }

  private static Genesis fresh(VolumeOptions nodes) {
    int owner = nodes.owner() == VolumeOptions.ANY ? Users.effective() : nodes.owner();
    int group = nodes.group() == VolumeOptions.ANY ? ROOT_GROUP : nodes.group();
    return GenesisCodec.fresh(FORMAT)
        .withOwners(owner, group)
        .with(Feature.EXTENTS)
        .with(Feature.THIN_VOLUMES);
  }

  private static void requireSame(String name, int given, @Nullable Integer agreed) {
    if (given != VolumeOptions.ANY && !Objects.equals(given, agreed)) {
      throw StorageException.invalid(
          "connectionParameters." + name,
          "the repository was created with " + name + " " + agreed + ", not " + given,
          "give " + name + " as " + agreed + ", or leave the parameter out");
    }
  }
}
