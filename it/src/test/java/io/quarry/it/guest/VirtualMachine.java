package io.quarry.it.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.api.OpenedImage;
import io.quarry.it.box.QemuGuest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Starts real VMs with the answer of {@code openImage}, and with nothing added. */
record VirtualMachine(GuestKit kit, Path directory) {
  private static final String DONE = "the guest has done its job";

  /**
   * Boots with that image as its only disk, {@code /dev/vda}, and waits until the VM has powered
   * off.
   *
   * @param job a shell script, run as root with busybox's tools
   * @param file the file that the job finds as {@code /file}
   * @return the job's output
   */
  String run(OpenedImage image, String job, Path file) throws IOException, InterruptedException {
    Path work = Files.createTempDirectory(directory, "boot");
    String whole = "set -e\n" + job + "\necho " + DONE + "\n";
    Path initramfs = kit.initramfs(work, whole, file);
    String output =
        QemuGuest.run(
            List.of(
                "timeout",
                "120",
                "qemu-system-x86_64",
                "-accel",
                "tcg",
                "-m",
                "256",
                "-nodefaults",
                "-display",
                "none",
                "-no-reboot",
                "-serial",
                "stdio",
                "-kernel",
                kit.kernel().toString(),
                "-initrd",
                initramfs.toString(),
                "-append",
                "console=ttyS0 quiet panic=-1",
                "-blockdev",
                image.blockdev().toString(),
                "-device",
                "virtio-blk-pci,drive=" + image.blockdev().path("node-name").asText()));
    assertThat(output).contains(DONE);
    return output;
  }
}
