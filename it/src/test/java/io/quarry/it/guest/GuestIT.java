package io.quarry.it.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import io.quarry.it.box.QemuGuest;
import io.quarry.it.guest.DiskXml.Layer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A VM starts from the answer of {@code openImage} and finds its data. A second VM starts from a
 * snapshot and finds what the first one wrote. QEMU could not boot an overlay that it is told is
 * raw.
 */
@Timeout(300)
final class GuestIT {
  private static final String REPOSITORY = "vms";
  private static final int MIB = 1 << 20;
  private static final long SIZE = 64L * MIB;
  private static final int DATA_BYTES = 2 * MIB;

  /** In MiB: where the first content is, and where the guest writes. */
  private static final int FIRST = 1;

  private static final int SECOND = 40;

  @Test
  void machineFindsWhatItHasWrittenInASnapshot(@TempDir Path directory) throws Exception {
    GuestKit kit = GuestKit.find();
    VirtualMachine machine = new VirtualMachine(kit, directory);
    Path first = noise(directory.resolve("first"), 1);
    Path second = noise(directory.resolve("second"), 2);
    try (Box box = Box.pair(directory)) {
      box.connect(REPOSITORY);
      StorageClient client = box.client(0);
      String disk = Box.disk(client, REPOSITORY, SIZE).imageId();
      Box.awaitOptimized(client, REPOSITORY, disk);
      QemuGuest.use(
          client,
          REPOSITORY,
          disk,
          "write -s %s %dM %d".formatted(first, FIRST, DATA_BYTES),
          "flush");
      String base = Box.snapshot(client, REPOSITORY, disk).imageId();

      String over = diskOver(client, base);
      OpenedImage writable = open(client, over, false);
      assertDescribedTheSame(writable, kit, directory, 2);
      String job = found(FIRST) + written(SECOND) + found(SECOND);
      assertThat(machine.run(writable, job, second))
          .contains(answer(FIRST, first), answer(SECOND, second));
      client.closeImage(REPOSITORY, over, writable.openId(), null);

      String later = Box.snapshot(client, REPOSITORY, over).imageId();
      String again = diskOver(client, later);
      OpenedImage reopened = open(client, again, false);
      assertDescribedTheSame(reopened, kit, directory, 3);
      assertThat(machine.run(reopened, found(FIRST) + found(SECOND), second))
          .contains(answer(FIRST, first), answer(SECOND, second));
      client.closeImage(REPOSITORY, again, reopened.openId(), null);

      OpenedImage snapshot = open(client, later, true);
      assertDescribedTheSame(snapshot, kit, directory, 2);
      assertThat(machine.run(snapshot, found(SECOND) + "cat /sys/block/vda/ro\n", second))
          .contains(answer(SECOND, second))
          .containsPattern("(?m)^1\\s*$");
      client.closeImage(REPOSITORY, later, snapshot.openId(), null);
      // Only the VM's own disk and the images made from it have what the VM wrote.
      QemuGuest.use(client, REPOSITORY, disk, "read -P 0 %dM %d".formatted(SECOND, DATA_BYTES));
    }
  }

  private static String diskOver(StorageClient client, String base) {
    var request = Box.newDisk(SIZE, base, ImageOptions.DEFAULT);
    String disk = client.createVirtualDisk(REPOSITORY, request, null).imageId();
    Box.awaitOptimized(client, REPOSITORY, disk);
    return disk;
  }

  private static OpenedImage open(StorageClient client, String imageId, boolean readOnly) {
    return client.openImage(REPOSITORY, imageId, new OpenRequest(readOnly, "machine"), null);
  }

  private static String found(int offset) {
    return "echo at %1$d: $(dd if=/dev/vda bs=1M skip=%1$d count=%2$d 2>/dev/null | sha256sum)%n"
        .formatted(offset, DATA_BYTES / MIB);
  }

  private static String answer(int offset, Path content) throws Exception {
    return "at %d: %s".formatted(offset, QemuGuest.sha256(content));
  }

  private static String written(int offset) {
    return "dd if=/file of=/dev/vda bs=1M seek=%d conv=fsync%nblockdev --flushbufs /dev/vda%n"
        .formatted(offset);
  }

  private static void assertDescribedTheSame(
      OpenedImage image, GuestKit kit, Path directory, int layers) throws Exception {
    DiskXml.assertValid(image, kit, directory);
    assertThat(DiskXml.layers(image))
        .hasSize(layers)
        .isEqualTo(DiskXml.layersOfBlockdev(image))
        .first()
        .isEqualTo(new Layer(image.path(), image.format().label()));
    assertThat(DiskXml.readOnly(image)).isEqualTo(image.readOnly());
  }

  private static Path noise(Path file, long seed) throws Exception {
    byte[] bytes = new byte[DATA_BYTES];
    new Random(seed).nextBytes(bytes);
    return Files.write(file, bytes);
  }
}
