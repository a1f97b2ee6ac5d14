package io.quarry.agent.storage.block;

import io.quarry.agent.data.os.DeviceMapper;
import io.quarry.agent.data.os.DeviceMapper.Device;
import io.quarry.agent.data.os.DeviceMapper.DeviceNumber;
import io.quarry.agent.data.os.DeviceMapper.Piece;
import io.quarry.agent.data.os.DeviceNodes;
import io.quarry.agent.data.os.FileFailure;
import io.quarry.coordinator.plan.Run;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
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

  /** The path by which programs open a file's device. */
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
      boolean whole = piece.offset() % extentBytes == 0 && piece.length() % extentBytes == 0;
      if (!whole || !piece.of().equals(data)) {
        throw FileFailure.refused(
            Path.of(device.name()), "read the table", "it is not over extents of " + data);
      }
      runs.add(new Run(piece.offset() / extentBytes, piece.length() / extentBytes));
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
      pieces.add(new Piece(data, run.first() * extentBytes, run.count() * extentBytes));
    }
    Device made = mapper.create(namePrefix + file, uuidPrefix + file, pieces, readOnly);
    nodes.put(file, made.number());
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
  public void cutOff(String file) throws IOException {
    mapper.cutOff(namePrefix + file);
  }
}
