package io.quarry.agent.data.os;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Devices of the kernel's device mapper that are pieces of other devices, one behind the other. The
 * calls need CAP_SYS_ADMIN and wait for no other program: udev gets no cookie, and makes no name
 * for the devices.
 */
public final class DeviceMapper implements AutoCloseable {
  private static final Path CONTROL = Path.of("/dev/mapper/control");
  private static final String LINEAR = "linear";

  /** The kernel's target that fails each request. */
  private static final String ERROR = "error";

  private static final int SECTOR_BYTES = 512;

  /** The name of this program in the kernel's statistics. */
  private static final String WATCHER = "quarry";

  /** A number, where the stretch begins, and its length in sectors. */
  private static final Pattern WATCH = Pattern.compile("(?m)^(\\d+): (\\d+)\\+(\\d+) ");

  /** Behind the stretch itself, four numbers of reads, and two of writes. */
  private static final int SECTORS_WRITTEN_WORD = 7;

  private final Descriptor control;

  private DeviceMapper(Descriptor control) {
    this.control = control;
  }

  /** The numbers that the kernel has for a block device. */
  public record DeviceNumber(int major, int minor) {
    static DeviceNumber of(long encoded) {
      return new DeviceNumber(
          (int) ((encoded >>> 8) & 0xfff), (int) ((encoded & 0xff) | ((encoded >>> 12) & 0xfff00)));
    }

    /** As the kernel wants the numbers when a node is made. */
    long encoded() {
      return (minor & 0xffL) | ((major & 0xfffL) << 8) | ((minor & 0xfff00L) << 12);
    }

    static DeviceNumber parse(String text) {
      String[] parts = text.split(":", 2);
      return new DeviceNumber(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
    }

    @Override
    public String toString() {
      return major + ":" + minor;
    }
  }

  /**
   * A part of another device.
   *
   * @param offset in bytes, a multiple of 512
   * @param length in bytes, a multiple of 512
   */
  public record Piece(DeviceNumber of, long offset, long length) {}

  /**
   * A device of the device mapper.
   *
   * @param opens how often programs and other devices have it open
   */
  public record Device(
      String name, String uuid, DeviceNumber number, int opens, boolean readOnly) {}

  /**
   * What the kernel makes a device of.
   *
   * @param types of its targets, for example {@code linear}; none for a device without a table
   */
  public record Table(long bytes, Set<String> types) {
    public Table {
      types = Set.copyOf(types);
    }
  }

  /**
   * @throws IOException when this process may not use the device mapper, or the kernel has none
   */
  public static DeviceMapper open() throws IOException {
    int flags = OpenFlags.READ_WRITE | OpenFlags.CLOSE_ON_EXEC;
    int fd = Libc.open(CONTROL.toString(), flags, 0);
    if (fd < 0) {
      throw FileFailure.of(-fd, CONTROL, "open");
    }
    DeviceMapper mapper = new DeviceMapper(new Descriptor(CONTROL, fd));
    try {
      mapper.run(DmRequest.version());
      return mapper;
    } catch (IOException e) {
      mapper.close();
      throw e;
    }
  }

  /**
   * Makes a device. A device without a table, which a process has left that died here, is finished.
   *
   * @param uuid stays with the device; tools that look for devices go by its prefix
   */
  public Device create(String name, String uuid, List<Piece> pieces, boolean readOnly)
      throws IOException {
    Device there = find(name);
    if (there == null) {
      run(DmRequest.create(name, uuid));
    } else if (!there.uuid().equals(uuid)) {
      throw FileFailure.refused(Path.of(name), "create", "another device has the name");
    }
    try {
      change(name, pieces, readOnly);
    } catch (IOException e) {
      if (there == null) {
        // No program has opened a device that has no table.
        var _ = remove(name);
      }
      throw e;
    }
    Device made = find(name);
    if (made == null) {
      throw FileFailure.refused(Path.of(name), "create", "it is gone as soon as it was made");
    }
    return made;
  }

  /** Gives the device other pieces. Programs that have the device open go on. */
  public void change(String name, List<Piece> pieces, boolean readOnly) throws IOException {
    List<DmRequest.Target> targets = new ArrayList<>();
    long start = 0;
    for (Piece piece : pieces) {
      long sectors = piece.length() / SECTOR_BYTES;
      String parameters = piece.of() + " " + piece.offset() / SECTOR_BYTES;
      targets.add(new DmRequest.Target(start, sectors, LINEAR, parameters));
      start += sectors;
    }
    run(DmRequest.load(name, targets, readOnly));
    run(DmRequest.resume(name));
  }

  /**
   * Makes each later read and write of the device fail, also those of programs that have it open.
   * Requests under way end first.
   */
  public void cutOff(String name) throws IOException {
    long sectors =
        run(DmRequest.table(name)).targets().stream().mapToLong(DmRequest.Target::sectors).sum();
    run(DmRequest.load(name, List.of(new DmRequest.Target(0, sectors, ERROR, "")), false));
    run(DmRequest.resume(name));
  }

  /**
   * A stretch of a device whose writes the kernel counts.
   *
   * @param id the kernel's number of the stretch
   */
  public record Watch(int id, long offset, long length) {}

  /** Counts the writes to a stretch of the device from now on, for as long as the device exists. */
  public void watch(String name, long offset, long length) throws IOException {
    long sectors = length / SECTOR_BYTES;
    var _ =
        run(
            DmRequest.message(
                name,
                "@stats_create %d+%d %d %s"
                    .formatted(offset / SECTOR_BYTES, sectors, sectors, WATCHER)));
  }

  /** The stretches that this program watches, or that an earlier run of it has watched. */
  public List<Watch> watches(String name) throws IOException {
    List<Watch> watches = new ArrayList<>();
    Matcher line = WATCH.matcher(run(DmRequest.message(name, "@stats_list " + WATCHER)).said());
    while (line.find()) {
      watches.add(
          new Watch(
              Integer.parseInt(line.group(1)),
              Long.parseLong(line.group(2)) * SECTOR_BYTES,
              Long.parseLong(line.group(3)) * SECTOR_BYTES));
    }
    return watches;
  }

  public void unwatch(String name, Watch watch) throws IOException {
    var _ = run(DmRequest.message(name, "@stats_delete " + watch.id()));
  }

  /** Bytes written to the stretch since it is watched. */
  public long written(String name, Watch watch) throws IOException {
    String said = run(DmRequest.message(name, "@stats_print " + watch.id())).said();
    String[] words = said.strip().split(" ", -1);
    if (words.length <= SECTORS_WRITTEN_WORD) {
      throw FileFailure.refused(Path.of(name), "read the statistics", "they say: " + said);
    }
    return Long.parseLong(words[SECTORS_WRITTEN_WORD]) * SECTOR_BYTES;
  }

  /** Null when there is no such device. */
  public @Nullable Device find(String name) throws IOException {
    try {
      return run(DmRequest.status(name)).device();
    } catch (FileFailure e) {
      if (e.errno() == Errno.ENXIO.number()) {
        return null;
      }
      throw e;
    }
  }

  /** What a device is made of now; other programs make devices of other types. */
  public Table table(String name) throws IOException {
    List<DmRequest.Target> targets = run(DmRequest.table(name)).targets();
    long sectors = targets.stream().mapToLong(DmRequest.Target::sectors).sum();
    Set<String> types = targets.stream().map(DmRequest.Target::type).collect(Collectors.toSet());
    return new Table(sectors * SECTOR_BYTES, types);
  }

  /** The pieces of a device, as the kernel uses them now; none when the device is cut off. */
  public List<Piece> pieces(String name) throws IOException {
    List<Piece> pieces = new ArrayList<>();
    for (DmRequest.Target target : run(DmRequest.table(name)).targets()) {
      if (target.type().equals(ERROR)) {
        return List.of();
      }
      if (!target.type().equals(LINEAR)) {
        throw FileFailure.refused(Path.of(name), "read the table", "it is no linear device");
      }
      String[] words = target.parameters().split(" ", 2);
      pieces.add(
          new Piece(
              DeviceNumber.parse(words[0]),
              Long.parseLong(words[1]) * SECTOR_BYTES,
              target.sectors() * SECTOR_BYTES));
    }
    return pieces;
  }

  /**
   * Removes a device; does nothing when there is none.
   *
   * @return false when a program or another device has it open
   */
  public boolean remove(String name) throws IOException {
    try {
      run(DmRequest.remove(name));
      return true;
    } catch (FileFailure e) {
      if (e.errno() == Errno.EBUSY.number()) {
        return false;
      }
      if (e.errno() == Errno.ENXIO.number()) {
        return true;
      }
      throw e;
    }
  }

  /** The devices whose names begin so. */
  public List<Device> list(String prefix) throws IOException {
    List<Device> devices = new ArrayList<>();
    for (String name : run(DmRequest.list()).names()) {
      Device device = name.startsWith(prefix) ? find(name) : null;
      if (device != null) {
        devices.add(device);
      }
    }
    return devices;
  }

  /** The answer may need more room than the request. */
  private DmRequest.Answer run(DmRequest request) throws IOException {
    int bytes = DmRequest.BYTES_FIRST;
    while (true) {
      ByteBuffer buffer = request.encode(bytes);
      long result =
          control.call(fd -> Libc.ioctl(fd, request.number(), MemorySegment.ofBuffer(buffer)));
      if (result < 0) {
        throw FileFailure.of((int) -result, request.subject(CONTROL), request.operation());
      }
      DmRequest.Answer answer = new DmRequest.Answer(buffer);
      if (!answer.isCut()) {
        return answer;
      }
      bytes *= 2;
    }
  }

  @Override
  public void close() {
    control.close();
  }
}
