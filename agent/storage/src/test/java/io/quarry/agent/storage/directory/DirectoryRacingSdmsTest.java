package io.quarry.agent.storage.directory;

import io.quarry.agent.data.os.Folder;
import io.quarry.coordinator.log.RacingSdmsContract;
import io.quarry.coordinator.log.SlotStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

class DirectoryRacingSdmsTest extends RacingSdmsContract {
  @TempDir(factory = MemoryTempDir.class)
  Path root;

  private final List<DirectorySlotStore> opened = new CopyOnWriteArrayList<>();

  @Override
  protected int commits() {
    return 2_000;
  }

  @Override
  protected SlotStore open(String name) throws IOException {
    Files.createDirectories(root.resolve("log"));
    Files.createDirectories(root.resolve("tmp"));
    DirectorySlotStore store = new DirectorySlotStore(Folder.open(root), name);
    opened.add(store);
    return store;
  }

  @AfterEach
  void close() {
    opened.forEach(DirectorySlotStore::close);
  }
}
