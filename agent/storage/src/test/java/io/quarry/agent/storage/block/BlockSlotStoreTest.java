package io.quarry.agent.storage.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.Contender;
import io.quarry.coordinator.log.LogReader;
import io.quarry.coordinator.log.Names;
import io.quarry.coordinator.log.PutNotStartedException;
import io.quarry.coordinator.log.SlotStore;
import io.quarry.coordinator.log.SlotStore.Put;
import io.quarry.coordinator.log.SlotStoreContract;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The store on a file in place of a device. */
class BlockSlotStoreTest extends SlotStoreContract {
  @TempDir Path directory;

  private final List<BlockSlotStore> opened = new ArrayList<>();
  private @Nullable SlotStore only;

  @AfterEach
  void close() {
    opened.forEach(BlockSlotStore::close);
  }

  private BlockSlotStore host(int number) throws IOException {
    BlockSlotStore store = FileLog.open(directory, number);
    opened.add(store);
    return store;
  }

  @Override
  protected SlotStore store() throws IOException {
    if (only == null) {
      only = host(1);
    }
    return only;
  }

  @Test
  void hostsTakeTurnsAtALog() throws Exception {
    CommitLog.create(host(0));
    Contender a = Contender.leading(host(1), "a", 5);
    Contender b = Contender.leading(host(2), "b", 10);
    Contender again = Contender.leading(host(3), "c", 12);
    assertThat(b.state.sequence()).isEqualTo(10);
    assertThat(a.commit("late")).isInstanceOf(CommitLog.Outcome.NotCommitted.class);
    assertThat(new LogReader(host(4)).load().position()).isEqualTo(again.state.position());
  }

  @Test
  void recordsAreReadFromTheNewestCheckpointOn() throws Exception {
    CommitLog.create(host(0));
    Contender a = Contender.leading(host(1), "a", 20);
    a.checkpoint();
    SlotStore other = host(2);
    assertThat(other.list())
        .containsExactlyInAnyOrder(
            Names.record(19), Names.record(20), Names.checkpoint(19), Names.checkpoint(20));
    assertThat(other.read(Names.record(18))).isNull();
    assertThat(new LogReader(other).load().position()).isEqualTo(a.state.position());
  }

  @Test
  void numbersAreTakenInOrderAndNeverAgain() throws Exception {
    SlotStore store = store();
    assertThatThrownBy(() -> store.putIfAbsent(Names.record(2), new byte[1]))
        .isInstanceOf(PutNotStartedException.class)
        .hasMessageContaining(Names.record(1));
    CommitLog.create(store);
    Contender a = Contender.leading(store, "a", 5);
    a.checkpoint();
    assertThat(store.read(Names.record(2))).isNull();
    assertThat(store.putIfAbsent(Names.record(2), new byte[1])).isEqualTo(Put.EXISTS);
  }

  @Test
  void recordThatIsTooLongIsRefused() throws Exception {
    assertThatThrownBy(() -> store().putIfAbsent(Names.record(1), new byte[3 << 20]))
        .isInstanceOf(PutNotStartedException.class)
        .hasMessageContaining("too long");
    assertThat(store().putIfAbsent(Names.record(1), new byte[1_000_000])).isEqualTo(Put.CREATED);
    assertThat(host(2).read(Names.record(1))).hasSize(1_000_000);
  }

  /** Besides the head note, which is not forced. */
  @Test
  void commitIsOneForcedWriteAndOneRead() throws Exception {
    CommitLog.create(host(0));
    List<String> operations = new ArrayList<>();
    BlockDevice device = new Told(FileBlockDevice.open(directory.resolve("device")), operations);
    try (BlockSlotStore store = FileLog.open(device, 1)) {
      Contender a = Contender.leading(store, "a", 10);
      operations.clear();
      a.commit("b");
    }
    assertThat(operations).containsExactly("write 4096", "read 65536", "write 4096 unforced");
  }

  /** Tells what is done with a device. */
  private record Told(BlockDevice device, List<String> operations) implements BlockDevice {
    @Override
    public long size() throws IOException {
      return device.size();
    }

    @Override
    public void read(long offset, byte[] into) throws IOException {
      operations.add("read " + into.length);
      device.read(offset, into);
    }

    @Override
    public void write(long offset, byte[] from) throws IOException {
      operations.add("write " + from.length);
      device.write(offset, from);
    }

    @Override
    public void writeUnforced(long offset, byte[] from) throws IOException {
      operations.add("write " + from.length + " unforced");
      device.writeUnforced(offset, from);
    }

    @Override
    public void force() throws IOException {
      operations.add("force");
      device.force();
    }

    @Override
    public String name() {
      return device.name();
    }

    @Override
    public void close() {
      device.close();
    }
  }
}
