package io.quarry.coordinator.log;

import io.quarry.coordinator.log.MemorySlotStore.PutFault;
import java.util.Objects;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/** Slots in memory: the storage by the log's own contract, and fast. */
final class MemoryStorage implements HostileStorage {
  private final MemoryDisk disk;

  MemoryStorage(BiConsumer<String, byte[]> onLink) {
    this(new MemoryDisk(onLink));
  }

  MemoryStorage(MemoryDisk disk) {
    this.disk = disk;
  }

  @Override
  public Host host(String name, Consumer<String> beforeEachStep) {
    return new MemoryHost(new MemorySlotStore(disk, beforeEachStep));
  }

  @Override
  public SlotStore calm() {
    return new MemorySlotStore(disk);
  }

  @Override
  public byte[] stored(String name) {
    return Objects.requireNonNull(disk.read(name));
  }

  @Override
  public void overwrite(String name, byte[] stored) {
    disk.overwrite(name, stored);
  }

  @Override
  public void powerCut(Random random) {
    throw new UnsupportedOperationException("what is here was never anywhere else");
  }

  private record MemoryHost(MemorySlotStore store) implements Host {
    @Override
    public void nextWrites(Fault... faults) {
      for (Fault fault : faults) {
        store.nextPuts(
            switch (fault) {
              case NONE -> PutFault.NONE;
              case LOST_REPLY -> PutFault.LOST_REPLY;
              case SENT_TWICE -> PutFault.SENT_TWICE;
              case LATE -> PutFault.DELAYED_LINK;
            });
      }
    }

    @Override
    public void failReads(int count) {
      store.failReads(count);
    }

    @Override
    public void disturb(Random random) {
      switch (random.nextInt(16)) {
        case 0 -> store.nextPuts(PutFault.LOST_REPLY);
        case 1 -> store.nextPuts(PutFault.DELAYED_LINK);
        case 2 -> store.nextPuts(PutFault.BEFORE_LINK);
        case 3 -> store.nextPuts(PutFault.DELAYED_LINK, PutFault.LOST_REPLY);
        case 4 -> store.failReads(1);
        case 5 -> store.freezeListing();
        case 6 -> store.landDelayed();
        case 7 -> store.nextPuts(PutFault.SENT_TWICE);
        case 8 -> store.nextPuts(PutFault.LOST_REPLY, PutFault.SENT_TWICE);
        default -> {}
      }
    }

    @Override
    public void spoilNextCheckpoint() {
      store.spoilNextCheckpoint();
    }

    @Override
    public void landDelayed() {
      store.landDelayed();
    }

    @Override
    public void beginLife() {}
  }
}
