package io.quarry.agent.storage.clvm;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.util.stream.Collectors;

/** Why a logical volume cannot be used, for the operator. */
final class LvmFailure {
  private LvmFailure() {}

  /**
   * By what LVM printed in the locale C.
   *
   * @param what LVM was to do, for example "be activated"
   */
  static StorageException of(String vg, String lv, String what, String printed) {
    if (printed.contains("Volume group \"" + vg + "\" not found")) {
      return unusable(
          vg,
          "this host has no volume group " + vg,
          "give the name that vgs shows, or let this host see the disks of "
              + vg
              + " (pvs --all; lvmdevices, where LVM has a devices file)");
    }
    String path = vg + "/" + lv;
    if (printed.contains("Failed to find logical volume \"" + path + "\"")) {
      return unusable(
          path,
          "the volume group " + vg + " has no logical volume " + lv,
          "make it on one host: lvcreate --name " + lv + " --size SIZE " + vg);
    }
    return unusable(
        path,
        path + " cannot " + what + ": " + oneLine(printed),
        "run lvchange --activate y " + path + " on this host, and mend what LVM reports");
  }

  private static String oneLine(String printed) {
    String joined =
        printed
            .lines()
            .map(String::strip)
            .filter(line -> !line.isEmpty())
            .collect(Collectors.joining("; "));
    return joined.isEmpty() ? "LVM gives no reason" : joined;
  }

  static StorageException skipped(String path) {
    return unusable(
        path,
        path + " cannot be activated: LVM reports success, and the kernel has no such device",
        "take the volume out of what LVM skips: lvchange --setactivationskip n "
            + path
            + ", and volume_list in lvm.conf");
  }

  static StorageException notOfLvm(String path, String mapperName, String uuid) {
    return unusable(
        path,
        "the device "
            + mapperName
            + " of the device mapper is no logical volume that can be written: its UUID is \""
            + uuid
            + "\"",
        "remove that device (dmsetup remove "
            + mapperName
            + "), or give the name of an ordinary logical volume");
  }

  static StorageException wrongType(String path, String types) {
    return unusable(
        path,
        path + " is of the type " + types + ", which only one host at a time can use",
        "use a logical volume of the type linear or striped, without snapshots");
  }

  static StorageException readOnly(String path) {
    return unusable(
        path,
        path + " cannot be written: the device is read-only",
        "make it writable on one host (lvchange --permission rw "
            + path
            + "), and refresh it on this host (lvchange --refresh "
            + path
            + ")");
  }

  static StorageException unusable(String subject, String message, String remedy) {
    return new StorageException(ErrorCode.REPOSITORY_UNUSABLE, message, subject, remedy);
  }
}
