package io.quarry.agent.storage.block;

import io.quarry.coordinator.log.RacingSdmsContract;
import io.quarry.coordinator.log.SlotStore;
import java.io.IOException;
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
    BlockSlotStore store = FileLog.open(directory, opened.size());
    opened.add(store);
    return store;
  }

  @AfterEach
  void close() {
    opened.forEach(BlockSlotStore::close);
  }
}
