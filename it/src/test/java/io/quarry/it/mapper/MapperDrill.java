package io.quarry.it.mapper;

import io.quarry.agent.data.os.DeviceMapper;
import io.quarry.agent.data.os.DeviceMapper.Device;
import io.quarry.agent.data.os.DeviceMapper.DeviceNumber;
import io.quarry.agent.data.os.DeviceMapper.Piece;
import io.quarry.agent.storage.block.FileBlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * Makes, grows and removes devices over parts of another one, in a machine of the lab. Prints a
 * line for each thing that was seen.
 */
final class MapperDrill {
  private static final long MIB = 1 << 20;
  private static final String NAME = "quarry-drill";

  /** LVM does not look for volume groups in devices with this prefix. */
  private static final String UUID = "CRYPT-SUBDEV-QUARRY-drill";

  private final DeviceMapper mapper;
  private final DeviceNumber number;
  private final Path below;

  private MapperDrill(DeviceMapper mapper, DeviceNumber number, Path below) {
    this.mapper = mapper;
    this.number = number;
    this.below = below;
  }

  /** Arguments: a block device, its major and its minor number. */
  public static void main(String[] args) throws Exception {
    DeviceNumber number = new DeviceNumber(Integer.parseInt(args[1]), Integer.parseInt(args[2]));
    try (DeviceMapper mapper = DeviceMapper.open()) {
      MapperDrill drill = new MapperDrill(mapper, number, Path.of(args[0]));
      drill.piecesAndGrowth();
      drill.readOnly();
      drill.leftovers();
      drill.volumeGroupOfAGuest();
      drill.refusals();
    }
  }

  private Piece piece(long offset, long length) {
    return new Piece(number, offset * MIB, length * MIB);
  }

  private static void saw(String what, Object value) {
    System.out.println(what + " " + value);
  }

  private static Path node(Device device) {
    return Path.of("/dev/dm-" + device.number().minor());
  }

  private void piecesAndGrowth() throws IOException {
    List<Piece> two = List.of(piece(4, 1), piece(16, 1));
    Device device = mapper.create(NAME, UUID, two, false);
    saw("PIECES", mapper.pieces(NAME).equals(two));
    saw("LISTED", mapper.list("quarry-").stream().map(Device::name).toList());
    try (FileChannel disk = FileChannel.open(node(device), StandardOpenOption.WRITE)) {
      write(disk, 0, 1);
      write(disk, 1, 2);
      disk.force(false);
      saw("BEYOND", failure(() -> write(disk, 2, 3)));
      List<Piece> three = List.of(piece(4, 1), piece(16, 1), piece(8, 2));
      mapper.change(NAME, three, false);
      write(disk, 2, 3);
      write(disk, 3, 4);
      disk.force(false);
      saw("OPENS", Objects.requireNonNull(mapper.find(NAME)).opens());
      saw("REMOVED-WHILE-OPEN", mapper.remove(NAME));
    }
    saw("CONTENT", content(4) + "" + content(16) + content(8) + content(9));
    saw("REMOVED", mapper.remove(NAME) && mapper.find(NAME) == null && mapper.remove(NAME));
  }

  private void readOnly() throws IOException {
    Device device = mapper.create(NAME, UUID, List.of(piece(4, 1)), true);
    saw("READ-ONLY", device.readOnly());
    saw(
        "WRITTEN-READ-ONLY",
        failure(() -> {
          try (FileChannel disk = FileChannel.open(node(device), StandardOpenOption.WRITE)) {
            write(disk, 0, 9);
            disk.force(false);
          }
        }));
    var _ = mapper.remove(NAME);
  }

  /** A process that died between the two calls has left a device without a table. */
  private void leftovers() throws IOException, InterruptedException {
    run("dmsetup", "create", NAME, "--uuid", UUID, "--notable");
    var _ = mapper.create(NAME, UUID, List.of(piece(4, 1)), false);
    saw("FINISHED", mapper.pieces(NAME).size());
    saw("OTHER-UUID", failure(() -> mapper.create(NAME, "another", List.of(piece(5, 1)), false)));
    saw("DMSETUP", run("dmsetup", "table", NAME));
    var _ = mapper.remove(NAME);
  }

  /** The disk of a guest may hold a physical volume, which LVM on the host must not find. */
  private void volumeGroupOfAGuest() throws IOException, InterruptedException {
    List<Piece> large = List.of(piece(24, 8));
    String[] volumes = {"pvs", "--noheadings", "--options", "pv_name"};
    Device found = mapper.create(NAME, "ANOTHER-PREFIX", large, false);
    run("pvcreate", "--quiet", node(found).toString());
    saw("PVS-OTHERWISE", !run(volumes).isEmpty());
    var _ = mapper.remove(NAME);
    Device hidden = mapper.create(NAME, UUID, large, false);
    saw("PVS", run(volumes));
    run("wipefs", "--all", node(hidden).toString());
    var _ = mapper.remove(NAME);
  }

  private void refusals() throws IOException {
    saw("PAST-END", failure(() -> mapper.create(NAME, UUID, List.of(piece(63, 2)), false)));
    saw("NOTHING-LEFT", mapper.list("quarry-").isEmpty());
  }

  private interface Step {
    void run() throws IOException;
  }

  private static String failure(Step step) {
    try {
      step.run();
      return "none";
    } catch (IOException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private static void write(FileChannel disk, long mib, int value) throws IOException {
    byte[] bytes = new byte[(int) MIB];
    Arrays.fill(bytes, (byte) value);
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      disk.write(buffer, mib * MIB + buffer.position());
    }
  }

  /** The value of all bytes of that MiB of the device below, read around the page cache. */
  private int content(long mib) throws IOException {
    byte[] bytes = new byte[(int) MIB];
    try (FileBlockDevice device = FileBlockDevice.open(below)) {
      device.read(mib * MIB, bytes);
    }
    byte[] same = new byte[bytes.length];
    Arrays.fill(same, bytes[0]);
    return Arrays.equals(bytes, same) ? bytes[0] : -1;
  }

  private static String run(String... words) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    String said =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", words) + ": " + said);
    }
    return said;
  }
}
