package io.quarry.agent.storage.clvm;

import io.quarry.agent.data.os.DeviceMapper;
import io.quarry.agent.data.os.DeviceMapper.Device;
import io.quarry.agent.data.os.DeviceMapper.Table;
import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.process.ToolOutput;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Finds logical volumes by their names, in the device mapper alone. LVM is asked only to activate
 * and to refresh them, so no command reads or repairs metadata without need.
 */
public final class LogicalVolumes implements AutoCloseable {
  /** The UUID of a volume group and of a volume; internal devices have a suffix. */
  private static final Pattern UUID = Pattern.compile("LVM-[0-9A-Za-z]{64}");

  /** Types without a state of their own, which any number of hosts can use. */
  private static final Set<String> SHARED_TYPES = Set.of("linear", "striped");

  private final DeviceMapper mapper;
  private final HostTool lvm;

  private LogicalVolumes(DeviceMapper mapper, HostTool lvm) {
    this.mapper = mapper;
    this.lvm = lvm;
  }

  /**
   * @param vg that the caller looks for, for messages
   */
  static LogicalVolumes open(HostTool lvm, String vg) {
    try {
      return new LogicalVolumes(DeviceMapper.open(), lvm);
    } catch (IOException e) {
      throw withoutMapper(vg, e);
    }
  }

  static StorageException withoutMapper(String vg, IOException failure) {
    return FileFailure.kindOf(failure) == FileFailure.Kind.FORBIDDEN
        ? LvmFailure.unusable(
            vg,
            "this agent may not use the device mapper: " + failure.getMessage(),
            "run the agent as root, or give the agent the capability CAP_SYS_ADMIN and"
                + " /dev/mapper/control")
        : LvmFailure.unusable(
            vg,
            "the kernel of this host has no device mapper: " + failure.getMessage(),
            "load the kernel module dm-mod (modprobe dm-mod), and let the agent see"
                + " /dev/mapper/control");
  }

  /** Activates the volume when it is not active on this host. */
  LogicalVolume find(String vg, String lv) throws IOException {
    LogicalVolume found = active(vg, lv);
    if (found == null) {
      run(LvmCommand.ACTIVATE, vg, lv, "be activated");
      found = active(vg, lv);
    }
    if (found == null) {
      throw LvmFailure.skipped(vg + "/" + lv);
    }
    return found;
  }

  /** Gives the device on this host the size that the volume has now, and returns it so. */
  public LogicalVolume refresh(LogicalVolume volume) throws IOException {
    run(LvmCommand.REFRESH, volume.vg(), volume.name(), "be refreshed");
    LogicalVolume refreshed = find(volume.vg(), volume.name());
    if (!refreshed.uuid().equals(volume.uuid())) {
      throw LvmFailure.unusable(
          volume.path(),
          volume.path() + " is another logical volume than before",
          "disconnect the repository, and connect it again");
    }
    return refreshed;
  }

  private void run(LvmCommand command, String vg, String lv, String what) throws IOException {
    ToolOutput output = lvm.run("lvm2", vg + "/" + lv, command.of(vg, lv));
    if (output.exitCode() != 0) {
      throw LvmFailure.of(vg, lv, what, output.stderrTail());
    }
  }

  /** Null when this host has no such device, or one without a table. */
  private @Nullable LogicalVolume active(String vg, String lv) throws IOException {
    String name = MapperName.of(vg, lv);
    Device device = mapper.find(name);
    if (device == null) {
      return null;
    }
    Table table = mapper.table(name);
    return table.types().isEmpty() ? null : checked(vg, lv, device, table);
  }

  static LogicalVolume checked(String vg, String lv, Device device, Table table) {
    String path = vg + "/" + lv;
    if (!UUID.matcher(device.uuid()).matches()) {
      throw LvmFailure.notOfLvm(path, device.name(), device.uuid());
    }
    if (!SHARED_TYPES.containsAll(table.types())) {
      throw LvmFailure.wrongType(path, String.join(", ", new TreeSet<>(table.types())));
    }
    if (device.readOnly()) {
      throw LvmFailure.readOnly(path);
    }
    return new LogicalVolume(vg, lv, device.uuid(), device.number(), table.bytes());
  }

  @Override
  public void close() {
    mapper.close();
  }
}
