package io.quarry.agent.data.os;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The mounts of this process's namespace, as the kernel tells them. No file server is asked, so a
 * hanging mount delays no reader of the table.
 *
 * @param mounts in the kernel's order: a mount that hides another one comes later
 */
public record MountTable(List<Mount> mounts) {
  private static final Path KERNEL = Path.of("/proc/self/mountinfo");

  public MountTable {
    mounts = List.copyOf(mounts);
  }

  public static MountTable read() throws IOException {
    return parse(Files.readAllBytes(KERNEL));
  }

  /** The table from the kernel's text. */
  public static MountTable parse(String text) {
    return parse(text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Names of mount points and of sources may be any bytes, so each byte is a character at first.
   */
  static MountTable parse(byte[] text) {
    return new MountTable(
        Arrays.stream(new String(text, StandardCharsets.ISO_8859_1).split("\n", -1))
            .map(Mount::parse)
            .flatMap(Optional::stream)
            .toList());
  }

  /** The visible mount at exactly that directory. */
  public Optional<Mount> at(Path point) {
    return mounts.stream().filter(each -> each.point().equals(point)).reduce((_, later) -> later);
  }

  /** The mount that holds the open folder, whatever its path leads to now. */
  public Optional<Mount> of(Folder folder) throws IOException {
    long id = folder.mountId();
    return mounts.stream().filter(each -> each.id() == id).findAny();
  }
}
