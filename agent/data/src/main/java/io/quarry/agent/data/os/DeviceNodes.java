package io.quarry.agent.data.os;

import io.quarry.agent.data.os.DeviceMapper.DeviceNumber;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Nodes of block devices, in a directory of their own below {@code /dev}. No rule of udev knows
 * these nodes, so owner and mode stay.
 */
public final class DeviceNodes {
  private static final int BLOCK_DEVICE = 0x6000;
  private static final int OWNER_ALONE = 0600;
  private static final String TEMPORARY = ".new";

  private final Path directory;
  private final int owner;
  private final int group;
  private final int mode;

  private DeviceNodes(Path directory, int owner, int group, int mode) {
    this.directory = directory;
    this.owner = owner;
    this.group = group;
    this.mode = mode;
  }

  /**
   * @param directory is made unless it is there
   * @param owner of the nodes; -1 for the user of this process
   * @param group of the nodes; -1 for that of this process
   */
  public static DeviceNodes in(Path directory, int owner, int group, int mode) throws IOException {
    Files.createDirectories(
        directory,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
    return new DeviceNodes(directory, owner, group, mode);
  }

  public Path path(String name) {
    return directory.resolve(name);
  }

  /** Makes the node of the device, in place of any other node with that name. */
  public void put(String name, DeviceNumber device) throws IOException {
    if (device.equals(find(name))) {
      return;
    }
    Path made = directory.resolve(name + TEMPORARY);
    Files.deleteIfExists(made);
    check(
        made,
        "make the node",
        Libc.mknodat(Libc.AT_FDCWD, made.toString(), BLOCK_DEVICE | OWNER_ALONE, device.encoded()));
    try {
      setOwner(made);
      String to = path(name).toString();
      check(made, "rename", Libc.renameat(Libc.AT_FDCWD, made.toString(), Libc.AT_FDCWD, to));
    } catch (IOException e) {
      Files.deleteIfExists(made);
      throw e;
    }
  }

  private void setOwner(Path node) throws IOException {
    int fd = Libc.open(node.toString(), OpenFlags.READ | OpenFlags.CLOSE_ON_EXEC, 0);
    check(node, "open", fd);
    try (Descriptor descriptor = new Descriptor(node, fd)) {
      descriptor.check("set the owner", number -> Libc.fchown(number, owner, group));
      descriptor.check("set the mode", number -> Libc.fchmod(number, mode));
    }
  }

  private static void check(Path node, String operation, int result) throws FileFailure {
    if (result < 0) {
      throw FileFailure.of(-result, node, operation);
    }
  }

  /** The device of a node; null when there is no such node. */
  public @Nullable DeviceNumber find(String name) throws IOException {
    String path = path(name).toString();
    try {
      return FileStatus.device(
          (flags, mask, into) -> {
            int result = Libc.statx(Libc.AT_FDCWD, path, flags, mask, into);
            check(path(name), "stat", result);
            return result;
          },
          FileStatus.OF_THE_LINK_ITSELF);
    } catch (FileFailure.NotFound e) {
      return null;
    }
  }

  public void remove(String name) throws IOException {
    Files.deleteIfExists(path(name));
  }

  /** Removes the nodes of other names, which an earlier process has left. */
  public void keep(Set<String> names) throws IOException {
    try (DirectoryStream<Path> nodes = Files.newDirectoryStream(directory)) {
      for (Path node : nodes) {
        if (!names.contains(String.valueOf(node.getFileName()))) {
          Files.deleteIfExists(node);
        }
      }
    }
  }
}
