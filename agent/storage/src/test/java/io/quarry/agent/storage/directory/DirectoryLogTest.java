package io.quarry.agent.storage.directory;

import io.quarry.coordinator.log.CommitLogContract;
import io.quarry.coordinator.log.HostileStorage;
import io.quarry.coordinator.log.LogDamageContract;
import io.quarry.coordinator.log.ZombieContract;
import java.io.IOException;

class DirectoryLogTest implements CommitLogContract, LogDamageContract, ZombieContract {
  @Override
  public HostileStorage storage() throws IOException {
    return new FileStorage((name, content) -> {});
  }
}
