package io.quarry.agent.storage.block;

import io.quarry.coordinator.log.CommitLogContract;
import io.quarry.coordinator.log.HostileStorage;
import io.quarry.coordinator.log.LogDamageContract;
import io.quarry.coordinator.log.ZombieContract;
import java.io.IOException;
import java.util.Random;

class BlockLogTest implements CommitLogContract, LogDamageContract, ZombieContract {
  @Override
  public HostileStorage storage() throws IOException {
    return new BlockStorage(new Random(1), 4 << 20, (name, content) -> {});
  }
}
