package io.quarry.agent.storage.block;

import io.quarry.coordinator.log.RacingSdmsContract;
import io.quarry.coordinator.log.SlotStore;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

class BlockRacingSdmsTest extends RacingSdmsContract {
  @TempDir Path directory;

  private final List<BlockSlotStore> opened = new CopyOnWriteArrayList<>();

  @Override
  protected int commits() {
    return 500;
  }

  @Override
  protected synchronized SlotStore open(String name) throws IOException {
    Path file = directory.resolve("device");
    try (RandomAccessFile device = new RandomAccessFile(file.toFile(), "rw")) {
      device.setLength(Layout.DEVICE_BYTES_MIN);
    }
    BlockSlotStore store =
        new BlockSlotStore(
            FileBlockDevice.open(file),
            "0123456789abcdef0123456789abcdef",
            4 << 20,
            new TestSlot(opened.size()),
            8);
    opened.add(store);
    return store;
  }

  @AfterEach
  void close() {
    opened.forEach(BlockSlotStore::close);
  }
}
