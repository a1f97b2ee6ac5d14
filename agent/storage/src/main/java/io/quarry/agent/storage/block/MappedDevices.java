package io.quarry.agent.storage.block;

import io.quarry.agent.data.os.DeviceMapper;
import io.quarry.agent.data.os.DeviceMapper.Device;
import io.quarry.agent.data.os.DeviceMapper.DeviceNumber;
import io.quarry.agent.data.os.DeviceMapper.Piece;
import io.quarry.agent.data.os.DeviceMapper.Watch;
import io.quarry.agent.data.os.DeviceNodes;
import io.quarry.agent.data.os.FileFailure;
import io.quarry.coordinator.plan.Run;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Devices of the kernel's device mapper, each over the extents of one file.
 *
 * <p>A device's node goes before the device: the kernel gives the device's number to the next
 * device. LVM does not look for physical volumes of guests in devices with this prefix of UUIDs.
 */
public final class MappedDevices implements Devices {
  private static final String UUID_PREFIX = "CRYPT-SUBDEV-QUARRY-";
  private static final int KEY_DIGITS_SHOWN = 8;

  /** The first extents of the device are no volume's: {@link DataLabel} is there. */
  public static final long LABEL_EXTENTS = 1;

  private final DeviceMapper mapper;
  private final DeviceNodes nodes;
  private final String namePrefix;
  private final String uuidPrefix;
  private final DeviceNumber data;
  private final long extentBytes;

  /**
   * @param key of the repository
   * @param data the device that the extents are parts of
   */
  public MappedDevices(
      DeviceMapper mapper, DeviceNodes nodes, String key, DeviceNumber data, long extentBytes) {
    this.mapper = mapper;
    this.nodes = nodes;
    this.namePrefix = "quarry-" + key.substring(0, KEY_DIGITS_SHOWN) + "-";
    this.uuidPrefix = UUID_PREFIX + key + "-";
    this.data = data;
    this.extentBytes = extentBytes;
  }

  @Override
  public Path path(String file) {
    return nodes.path(file);
  }

  @Override
  public Set<String> files() throws IOException {
    Set<String> files = new HashSet<>();
    for (Device device : mapper.list(namePrefix)) {
      String file = device.name().substring(namePrefix.length());
      if (device.uuid().equals(uuidPrefix + file)) {
        files.add(file);
      }
    }
    return files;
  }

  /** Removes nodes whose devices are gone: an earlier agent may have died between the two. */
  public void removeStrayNodes() throws IOException {
    nodes.keep(files());
  }

  @Override
  public @Nullable List<Run> runs(String file) throws IOException {
    Device device = find(file);
    if (device == null) {
      return null;
    }
    List<Run> runs = new ArrayList<>();
    for (Piece piece : mapper.pieces(device.name())) {
      boolean whole =
          piece.offset() % extentBytes == 0
              && piece.length() % extentBytes == 0
              && piece.offset() >= LABEL_EXTENTS * extentBytes;
      if (!whole || !piece.of().equals(data)) {
        throw FileFailure.refused(
            Path.of(device.name()), "read the table", "it is not over extents of " + data);
      }
      runs.add(new Run(piece.offset() / extentBytes - LABEL_EXTENTS, piece.length() / extentBytes));
    }
    return runs;
  }

  private @Nullable Device find(String file) throws IOException {
    Device device = mapper.find(namePrefix + file);
    if (device != null && !device.uuid().equals(uuidPrefix + file)) {
      throw FileFailure.refused(
          Path.of(device.name()), "use", "it is not of this repository, but " + device.uuid());
    }
    return device;
  }

  @Override
  public void make(String file, List<Run> runs, boolean readOnly) throws IOException {
    List<Piece> pieces = new ArrayList<>();
    for (Run run : runs) {
      pieces.add(
          new Piece(data, (LABEL_EXTENTS + run.first()) * extentBytes, run.count() * extentBytes));
    }
    String name = namePrefix + file;
    Device there = find(file);
    boolean same =
        there != null && there.readOnly() == readOnly && mapper.pieces(name).equals(pieces);
    Device device = same ? there : mapper.create(name, uuidPrefix + file, pieces, readOnly);
    nodes.put(file, Objects.requireNonNull(device).number());
  }

  @Override
  public boolean setReadOnly(String file, boolean readOnly) throws IOException {
    Device device = find(file);
    if (device == null || device.readOnly() == readOnly) {
      return false;
    }
    List<Piece> pieces = mapper.pieces(device.name());
    if (pieces.isEmpty()) {
      // The device was cut off.
      return false;
    }
    mapper.change(device.name(), pieces, readOnly);
    return true;
  }

  @Override
  public boolean remove(String file) throws IOException {
    Device device = find(file);
    if (device == null) {
      nodes.remove(file);
      return true;
    }
    if (device.opens() > 0) {
      return false;
    }
    nodes.remove(file);
    if (mapper.remove(device.name())) {
      return true;
    }
    // A program has opened the device since.
    nodes.put(file, device.number());
    return false;
  }

  @Override
  public boolean isOpen(String file) throws IOException {
    Device device = find(file);
    return device != null && device.opens() > 0;
  }

  /** The length of a file's device in bytes. */
  public long length(String file) throws IOException {
    return mapper.pieces(namePrefix + file).stream().mapToLong(Piece::length).sum();
  }

  /** Counts writes behind the offset from now on, also while no agent runs. */
  public void watchBehind(String file, long offset) throws IOException {
    String name = namePrefix + file;
    Watch kept = null;
    for (Watch watch : mapper.watches(name)) {
      if (isBehind(watch, file, offset)) {
        kept = watch;
      } else {
        mapper.unwatch(name, watch);
      }
    }
    if (kept == null) {
      mapper.watch(name, offset, length(file) - offset);
    }
  }

  private boolean isBehind(Watch watch, String file, long offset) throws IOException {
    return watch.offset() == offset && watch.length() == length(file) - offset;
  }

  public boolean isWatchedBehind(String file, long offset) throws IOException {
    return find(file, offset) != null;
  }

  /** Whether a program has written behind the offset since that was watched first. */
  public boolean isWrittenBehind(String file, long offset) throws IOException {
    Watch watch = find(file, offset);
    return watch != null && mapper.written(namePrefix + file, watch) > 0;
  }

  private @Nullable Watch find(String file, long offset) throws IOException {
    for (Watch watch : mapper.watches(namePrefix + file)) {
      if (isBehind(watch, file, offset)) {
        return watch;
      }
    }
    return null;
  }

  @Override
  public void cutOff(String file) throws IOException {
    mapper.cutOff(namePrefix + file);
  }
}
