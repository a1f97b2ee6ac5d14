package io.quarry.it.guest;

import io.quarry.it.box.QemuGuest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/**
 * The files that VMs boot in tests: a kernel, its modules and a shell, which {@code ./verify}
 * unpacks from Debian's packages.
 */
record GuestKit(Path directory) {
  /** In the order of their dependencies. */
  private static final List<String> MODULES =
      List.of(
          "virtio_ring",
          "virtio",
          "virtio_pci_legacy_dev",
          "virtio_pci_modern_dev",
          "virtio_pci",
          "virtio_blk");

  private static final String INIT =
      """
      #!/bin/busybox sh
      /bin/busybox --install -s /bin
      export PATH=/bin
      mount -t devtmpfs dev /dev
      mount -t sysfs sys /sys
      exec </dev/null >/dev/ttyS0 2>&1
      for module in %s; do
        [ ! -e /modules/$module.ko ] || insmod /modules/$module.ko
      done
      . /job
      sync
      poweroff -f
      """
          .formatted(String.join(" ", MODULES));

  static GuestKit find() {
    String given = System.getenv("QUARRY_GUEST_KIT");
    Path directory =
        given == null
            ? Path.of(System.getProperty("user.home"), ".cache", "quarry", "guest")
            : Path.of(given);
    Assumptions.assumeTrue(
        Files.isDirectory(directory), "there is nothing to boot; ./verify it GuestIT fetches it");
    return new GuestKit(directory);
  }

  Path kernel() {
    return directory.resolve("vmlinuz");
  }

  /** The schema of what libvirt accepts as a domain. */
  Path domainSchema() {
    return directory.resolve("schemas").resolve("domain.rng");
  }

  /**
   * A root filesystem in memory, which runs a job and powers off.
   *
   * @param work an empty directory of its own
   * @param job a shell script
   * @param file for the job to use, as {@code /file}
   */
  Path initramfs(Path work, String job, Path file) throws IOException, InterruptedException {
    Path root = Files.createDirectories(work.resolve("root"));
    for (String name : List.of("bin", "dev", "sys", "modules")) {
      Files.createDirectory(root.resolve(name));
    }
    Path busybox = directory.resolve("busybox");
    Files.copy(busybox, root.resolve("bin/busybox"), StandardCopyOption.COPY_ATTRIBUTES);
    for (String module : MODULES) {
      Path from = directory.resolve("modules").resolve(module + ".ko");
      // Some kernels have a module built in.
      if (Files.exists(from)) {
        Files.copy(from, root.resolve("modules").resolve(from.getFileName()));
      }
    }
    Files.copy(file, root.resolve("file"));
    Files.writeString(root.resolve("job"), job);
    Path init = Files.writeString(root.resolve("init"), INIT);
    if (!init.toFile().setExecutable(true)) {
      throw new IOException(init + " cannot be made executable");
    }
    Path archive = work.resolve("initramfs");
    QemuGuest.run(
        List.of(
            "sh",
            "-c",
            "cd \"$1\" && find . | \"$2\" cpio -o -H newc > \"$3\"",
            "sh",
            root.toString(),
            busybox.toString(),
            archive.toString()));
    return archive;
  }
}
