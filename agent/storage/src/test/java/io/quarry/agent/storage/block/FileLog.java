package io.quarry.agent.storage.block;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;

/** The log on a file in place of a device, with the smallest rings. */
final class FileLog {
  private FileLog() {}

  static BlockSlotStore open(Path directory, int host) throws IOException {
    Path file = directory.resolve("device");
    try (RandomAccessFile device = new RandomAccessFile(file.toFile(), "rw")) {
      device.setLength(Layout.DEVICE_BYTES_MIN);
    }
    return open(FileBlockDevice.open(file), host);
  }

  static BlockSlotStore open(BlockDevice device, int host) {
    return new BlockSlotStore(
        device,
        Layout.ofDevice(Layout.DEVICE_BYTES_MIN),
        BlockStorage.KEY,
        new TestSlot(host),
        8,
        new RandomPause(),
        frame -> {});
  }
}
