package io.quarry.agent.data.os;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.quarry.agent.data.os.DeviceMapper.Device;
import io.quarry.agent.data.os.DeviceMapper.DeviceNumber;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A request to the device mapper, in the form of {@code linux/dm-ioctl.h}: a header of 312 bytes,
 * and what belongs to the command behind it.
 *
 * @param name of the device; empty for requests about all
 */
record DmRequest(
    Command command, String name, String uuid, int flags, List<Target> targets, String message) {
  /** Room for the answers of most requests. */
  static final int BYTES_FIRST = 16 << 10;

  private static final int HEADER = 312;
  private static final int VERSION_MAJOR = 4;

  // Places in the header.
  private static final int SIZE_AT = 12;
  private static final int START_AT = 16;
  private static final int TARGETS_AT = 20;
  private static final int OPENS_AT = 24;
  private static final int FLAGS_AT = 28;
  private static final int COOKIE_AT = 32;
  private static final int DEVICE_AT = 40;
  private static final int NAME_AT = 48;
  private static final int NAME_BYTES = 128;
  private static final int UUID_AT = NAME_AT + NAME_BYTES;
  private static final int UUID_BYTES = 129;

  private static final int READ_ONLY = 1;
  private static final int TABLE = 1 << 4;
  private static final int BUFFER_FULL = 1 << 8;
  private static final int DATA = 1 << 16;
  private static final int WITHOUT_FREEZING_FILESYSTEMS = 1 << 10;
  private static final int WITHOUT_FLUSH = 1 << 11;

  /** Without a cookie, udev's rules do no more than note the device. */
  private static final int NO_UDEV_RULES = 0x2f << 16;

  /** A target's header: two numbers of 64 bits, two of 32, and the type. */
  private static final int TARGET_BYTES = 40;

  private static final int TARGET_NEXT_AT = 20;
  private static final int TYPE_AT = 24;
  private static final int TYPE_BYTES = 16;
  private static final int ALIGNMENT = 8;

  /** The number of each command, and its name for messages. */
  private enum Command {
    VERSION(0, "ask the version"),
    LIST(2, "list devices"),
    CREATE(3, "create the device"),
    REMOVE(4, "remove the device"),
    RESUME(6, "resume the device"),
    STATUS(7, "ask about the device"),
    LOAD(9, "load the table"),
    TABLE(12, "read the table"),
    MESSAGE(14, "send a message to the device");

    private final int number;
    private final String operation;

    Command(int number, String operation) {
      this.number = number;
      this.operation = operation;
    }
  }

  /** A part of a table. */
  record Target(long start, long sectors, String type, String parameters) {
    private int bytes() {
      return aligned(TARGET_BYTES + parameters.length() + 1);
    }
  }

  private static DmRequest of(Command command, String name, int flags) {
    return new DmRequest(command, name, "", flags, List.of(), "");
  }

  static DmRequest version() {
    return of(Command.VERSION, "", 0);
  }

  static DmRequest list() {
    return of(Command.LIST, "", 0);
  }

  static DmRequest create(String name, String uuid) {
    return new DmRequest(Command.CREATE, name, uuid, 0, List.of(), "");
  }

  static DmRequest remove(String name) {
    return of(Command.REMOVE, name, 0);
  }

  /** The loaded table counts from then on. Requests under way go to where they belonged. */
  static DmRequest resume(String name) {
    return of(Command.RESUME, name, WITHOUT_FREEZING_FILESYSTEMS | WITHOUT_FLUSH);
  }

  static DmRequest status(String name) {
    return of(Command.STATUS, name, 0);
  }

  static DmRequest load(String name, List<Target> targets, boolean readOnly) {
    return new DmRequest(Command.LOAD, name, "", readOnly ? READ_ONLY : 0, targets, "");
  }

  static DmRequest message(String name, String message) {
    return new DmRequest(Command.MESSAGE, name, "", 0, List.of(), message);
  }

  static DmRequest table(String name) {
    return of(Command.TABLE, name, TABLE);
  }

  /** For the ioctl call, which reads and writes the header. */
  long number() {
    return (3L << 30) | ((long) HEADER << 16) | (0xfd << 8) | command.number;
  }

  String operation() {
    return command.operation;
  }

  /** What the request is about, for messages. */
  Path subject(Path control) {
    return name.isEmpty() ? control : Path.of(name);
  }

  /**
   * @param room for the answer at least
   */
  ByteBuffer encode(int room) {
    int payload = targets.stream().mapToInt(Target::bytes).sum() + messageBytes();
    int size = Math.max(room, HEADER + payload);
    ByteBuffer buffer = ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
    buffer.putInt(0, VERSION_MAJOR);
    buffer.putInt(SIZE_AT, size).putInt(START_AT, HEADER).putInt(TARGETS_AT, targets.size());
    buffer.putInt(FLAGS_AT, flags);
    if (command == Command.REMOVE || command == Command.RESUME) {
      buffer.putInt(COOKIE_AT, NO_UDEV_RULES);
    }
    put(buffer, NAME_AT, NAME_BYTES, name);
    put(buffer, UUID_AT, UUID_BYTES, uuid);
    int at = HEADER;
    for (Target target : targets) {
      buffer.putLong(at, target.start).putLong(at + Long.BYTES, target.sectors);
      buffer.putInt(at + TARGET_NEXT_AT, target.bytes());
      put(buffer, at + TYPE_AT, TYPE_BYTES, target.type);
      buffer.put(at + TARGET_BYTES, target.parameters.getBytes(US_ASCII));
      at += target.bytes();
    }
    if (!message.isEmpty()) {
      // The number of the sector comes first, which is 0.
      buffer.put(at + Long.BYTES, message.getBytes(US_ASCII));
    }
    return buffer;
  }

  private int messageBytes() {
    return message.isEmpty() ? 0 : Long.BYTES + message.length() + 1;
  }

  private static void put(ByteBuffer buffer, int at, int room, String text) {
    byte[] bytes = text.getBytes(US_ASCII);
    if (bytes.length >= room) {
      throw new IllegalArgumentException(text + " is longer than " + (room - 1) + " bytes");
    }
    buffer.put(at, bytes);
  }

  private static int aligned(int bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /** What the kernel has written over the request. */
  record Answer(ByteBuffer buffer) {
    /** Whether the buffer was too small. */
    boolean isCut() {
      return (buffer.getInt(FLAGS_AT) & BUFFER_FULL) != 0;
    }

    Device device() {
      return new Device(
          text(NAME_AT),
          text(UUID_AT),
          DeviceNumber.of(buffer.getLong(DEVICE_AT)),
          buffer.getInt(OPENS_AT),
          (buffer.getInt(FLAGS_AT) & READ_ONLY) != 0);
    }

    /** Each entry says how far away the next one is; an entry without a device means none. */
    List<String> names() {
      List<String> names = new ArrayList<>();
      int at = buffer.getInt(START_AT);
      while (buffer.getLong(at) != 0) {
        names.add(text(at + Long.BYTES + Integer.BYTES));
        int next = buffer.getInt(at + Long.BYTES);
        if (next == 0) {
          break;
        }
        at += next;
      }
      return names;
    }

    /** In an answer the distance of the next target counts from the first one. */
    List<Target> targets() {
      List<Target> targets = new ArrayList<>();
      int first = buffer.getInt(START_AT);
      int at = first;
      for (int i = 0; i < buffer.getInt(TARGETS_AT); i++) {
        targets.add(
            new Target(
                buffer.getLong(at),
                buffer.getLong(at + Long.BYTES),
                text(at + TYPE_AT),
                text(at + TARGET_BYTES)));
        at = first + buffer.getInt(at + TARGET_NEXT_AT);
      }
      return targets;
    }

    /** What the device mapper says to a message; empty when it says nothing. */
    String said() {
      return (buffer.getInt(FLAGS_AT) & DATA) == 0 ? "" : text(buffer.getInt(START_AT));
    }

    private String text(int at) {
      int end = at;
      while (buffer.get(end) != 0) {
        end++;
      }
      byte[] bytes = new byte[end - at];
      buffer.get(at, bytes);
      return new String(bytes, US_ASCII);
    }
  }
}
