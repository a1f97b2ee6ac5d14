package io.quarry.coordinator.log;

class MemoryLogTest implements CommitLogContract, LogDamageContract, ZombieContract {
  @Override
  public HostileStorage storage() {
    return new MemoryStorage((name, content) -> {});
  }
}
