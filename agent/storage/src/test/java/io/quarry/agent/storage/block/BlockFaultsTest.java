package io.quarry.agent.storage.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.storage.block.SimDevice.WriteFault;
import io.quarry.coordinator.log.Names;
import io.quarry.coordinator.log.SlotStore;
import io.quarry.coordinator.log.SlotStore.Put;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** One fault at a time, at the place where it hurts most. */
class BlockFaultsTest extends BlockHosts {
  /** The new life must not begin among the frames of the last one. */
  @ParameterizedTest
  @CsvSource({"LOST_REPLY,3,6", "LATE,3,6", "TORN,3,6", "LOST_REPLY,59,60", "LATE,59,60"})
  void newLifeWhoseFirstPromiseGetsNoAnswer(WriteFault fault, long older, long newer)
      throws Exception {
    BlockSlotStore before = store(slot, host());
    checkpoint(before, 0);
    put(before, 1, 60);
    checkpoint(before, older, newer);
    BlockSlotStore follower = another(3);
    assertThat(follower.list()).contains(Names.record(60));

    SimDevice.Host seen = host();
    seen.nextWrites(fault);
    BlockSlotStore again = store(slot, seen);
    assertThatThrownBy(() -> put(again, 61)).isInstanceOf(IOException.class);
    put(again, 61, 65);
    seen.landLate();
    put(again, 66, 70);

    assertReads(again, newer, 70);
    assertReads(another(2), newer, 70);
    assertReads(follower, newer, 70);
    assertThat(follower.putIfAbsent(Names.record(61), new byte[1])).isEqualTo(Put.EXISTS);
  }

  /** The leader has written the record, and does not know whether it counts; its follower does. */
  @Test
  void recordThatAFollowerOfTheSameHostDecides() throws Exception {
    SimDevice.Host[] seen = {null};
    boolean[] armed = {false};
    seen[0] =
        device.host(step -> {
          if (armed[0] && step.startsWith("write")) {
            armed[0] = false;
            seen[0].failReads(1);
          }
        });
    BlockSlotStore leader = store(slot, seen[0]);
    checkpoint(leader, 0);
    put(leader, 1, 2);
    leader.writeHead(2);
    armed[0] = true;
    assertThatThrownBy(() -> put(leader, 3)).isInstanceOf(IOException.class);
    assertReads(leader, 3, 3);
    assertThat(put(leader, 3)).isEqualTo(Put.EXISTS);
    leader.writeHead(3);

    BlockSlotStore fresh = another(2);
    assertThat(fresh.readHead()).hasValue(3);
    assertReads(fresh, 1, 3);
  }

  /** The device loses its power after a host has read the frame; the host goes on. */
  @Test
  void frameThatAPowerCutTakesBackIsNoRecord() throws Exception {
    SimDevice.Host seen = host();
    BlockSlotStore leader = store(slot, seen);
    checkpoint(leader, 0);
    put(leader, 1, 2);
    SimDevice.Host cut =
        device.host(step -> {
          if (step.equals("force")) {
            device.powerCut();
          }
        });
    BlockSlotStore reader = store(new TestSlot(2), cut);
    assertReads(reader, 1, 2);

    seen.nextWrites(WriteFault.UNFORCED);
    assertThatThrownBy(() -> put(leader, 3)).isInstanceOf(IOException.class);

    String third = Names.record(3);
    assertThat(reader.read(third)).isNull();
    assertThat(reader.read(third)).isNull();
    byte[] other = text(33);
    assertThat(another(3).putIfAbsent(third, other)).isEqualTo(Put.CREATED);
    assertThat(reader.read(third)).isEqualTo(other);
  }

  /** A candidate has promised and died; what it has not read may be a record or not. */
  @Test
  void readerDoesNotTakeAWaitingRecordForLost() throws Exception {
    BlockSlotStore leader = store(slot, host());
    checkpoint(leader, 0);
    put(leader, 1, 3);
    SimDevice.Host seen = host();
    BlockSlotStore candidate = store(new TestSlot(2), seen);
    seen.nextWrites(
        WriteFault.NONE, WriteFault.NONE, WriteFault.NONE, WriteFault.NONE, WriteFault.LATE);
    assertThatThrownBy(() -> put(candidate, 4)).isInstanceOf(IOException.class);
    seen.loseLate();

    BlockSlotStore fresh = another(3);
    assertThat(fresh.list()).contains(Names.record(2)).doesNotContain(Names.record(3));
    assertThat(fresh.readHead().orElse(0)).isLessThanOrEqualTo(2);
    assertThatThrownBy(() -> fresh.readStart(Names.record(3), 1))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("waits for the next leader");
    assertThat(put(fresh, 3)).isEqualTo(Put.EXISTS);
    assertReads(another(4), 1, 3);
  }

  @ParameterizedTest
  @EnumSource(
      value = WriteFault.class,
      names = {"LATE", "LOST_REPLY", "TORN"})
  void checkpointWhoseWriteGetsNoAnswer(WriteFault fault) throws Exception {
    SimDevice.Host seen = host();
    BlockSlotStore leader = store(slot, seen);
    checkpoint(leader, 0);
    put(leader, 1, 6);
    checkpoint(leader, 1);
    seen.nextWrites(fault);
    assertThatThrownBy(() -> leader.putIfAbsent(Names.checkpoint(2), text(2)))
        .isInstanceOf(IOException.class);
    leader.putIfAbsent(Names.checkpoint(3), text(3));
    seen.landLate();
    assertThat(leader.read(Names.checkpoint(3))).isEqualTo(text(3));
  }

  @ParameterizedTest
  @EnumSource(
      value = WriteFault.class,
      names = {"LATE", "LOST_REPLY"})
  void checkpointWhoseNameGetsNoAnswer(WriteFault fault) throws Exception {
    SimDevice.Host seen = host();
    BlockSlotStore leader = store(slot, seen);
    checkpoint(leader, 0);
    put(leader, 1, 6);
    leader.putIfAbsent(Names.checkpoint(1), text(1));
    leader.putIfAbsent(Names.checkpoint(2), text(2));
    seen.nextWrites(WriteFault.NONE, fault);
    assertThatThrownBy(() -> leader.putIfAbsent(Names.checkpoint(3), text(3)))
        .isInstanceOf(IOException.class);
    seen.landLate();
    assertThat(another(2).read(Names.checkpoint(3))).isEqualTo(text(3));
    leader.close();
    BlockSlotStore again = store(slot, host());
    again.putIfAbsent(Names.checkpoint(4), text(4));
    assertThat(again.read(Names.checkpoint(3))).isEqualTo(text(3));
    assertThat(again.read(Names.checkpoint(4))).isEqualTo(text(4));
  }

  /** A slot that was won, and could not be kept, is won again. */
  @Test
  void slotIsNotWastedWhenTheHostCannotKeepIt() throws Exception {
    HostSlot full =
        new HostSlot() {
          @Override
          public String key() {
            return slot.key();
          }

          @Override
          public OptionalInt slot() {
            return OptionalInt.empty();
          }

          @Override
          public void keep(int number) throws IOException {
            throw new IOException("No space left on device");
          }
        };
    for (int i = 0; i < 20; i++) {
      BlockSlotStore store =
          new BlockSlotStore(
              host(), LAYOUT, BlockStorage.KEY, full, SLOTS, turn -> {}, frame -> {});
      assertThatThrownBy(() -> put(store, 1)).hasMessageContaining("No space left");
    }
    BlockSlotStore store = store(slot, host());
    put(store, 1, 1);
    assertThat(slot.slot()).hasValue(0);
  }

  @Test
  void namesOfAnotherDeviceAreVoid() throws Exception {
    put(store(slot, host()), 1, 3);
    BlockSlotStore other =
        new BlockSlotStore(
            host(),
            LAYOUT,
            new Key("e".repeat(32)),
            new TestSlot(1),
            SLOTS,
            turn -> {},
            frame -> {});
    assertThat(other.list()).isEqualTo(List.of());
  }

  /** Two records come between two looks of a candidate: behind a hole that is no hole any more. */
  @Test
  void framesThatComeWhileACandidateLooksPastAHole() throws Exception {
    BlockSlotStore leader = store(slot, host());
    checkpoint(leader, 0);
    put(leader, 1, 3);
    boolean[] armed = {true};
    String past = "read " + LAYOUT.ring(0, 4 * Layout.BLOCK);
    BlockSlotStore candidate =
        store(
            new TestSlot(2),
            device.host(step -> {
              if (armed[0] && step.equals(past)) {
                armed[0] = false;
                putQuietly(leader, 4, 5);
              }
            }));
    put(candidate, 6, 7);
    assertThat(armed[0]).isFalse();
    assertReads(candidate, 1, 7);
    assertReads(another(3), 1, 7);
  }

  /** The same at the end of the ring, without any fault. */
  @Test
  void framesThatComeWhileAReaderLooksAtTheNextRound() throws Exception {
    BlockSlotStore leader = store(slot, host());
    checkpoint(leader, 0);
    long blocks = LAYOUT.ringBytes() / Layout.BLOCK;
    long last = 0;
    for (long block = 0; block < blocks - 1; last++) {
      byte[] record = block == 30 ? new byte[9000] : text(last + 1);
      leader.putIfAbsent(Names.record(last + 1), record);
      block += Frame.bytes(record.length) / Layout.BLOCK;
      if (last % 100 == 99) {
        checkpoint(leader, last, last + 1);
      }
    }
    long next = last + 1;
    boolean[] armed = {false};
    String round = "read " + LAYOUT.ring(0, LAYOUT.ringBytes());
    BlockSlotStore reader =
        store(
            new TestSlot(2),
            device.host(step -> {
              if (armed[0] && step.equals(round)) {
                armed[0] = false;
                putQuietly(leader, next, next + 1);
              }
            }));
    assertThat(reader.list()).contains(Names.record(last));
    armed[0] = true;
    assertThat(reader.list()).contains(Names.record(last));
    assertThat(armed[0]).isFalse();
    assertReads(reader, next, next + 1);
  }

  private static void putQuietly(SlotStore store, long first, long last) {
    try {
      put(store, first, last);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void contentThatFailsSpendsNoArea() throws Exception {
    BlockSlotStore leader = store(slot, host());
    checkpoint(leader, 0);
    put(leader, 1, 9);
    checkpoint(leader, 3, 6);
    for (int i = 0; i < 9; i++) {
      assertThatThrownBy(() ->
              leader.putIfAbsent(
                  Names.checkpoint(8),
                  out -> {
                    throw new IOException("interrupted");
                  }))
          .hasMessageContaining("interrupted");
    }
    checkpoint(leader, 8, 9);
    assertThat(leader.list()).contains(Names.checkpoint(9));
  }

  @Test
  void slotHasOneWinnerWhenWritesLandLate() throws Exception {
    SimDevice.Host seen = host();
    BlockSlotStore late = store(slot, seen);
    seen.nextWrites(WriteFault.LATE);
    assertThatThrownBy(() -> put(late, 1)).isInstanceOf(IOException.class);
    seen.nextWrites(WriteFault.NONE, WriteFault.LATE);
    assertThatThrownBy(() -> put(late, 1)).isInstanceOf(IOException.class);
    TestSlot other = new TestSlot(2);
    put(store(other, host()), 1, 1);
    seen.landLate();
    assertThat(put(late, 1)).isEqualTo(Put.EXISTS);
    put(late, 2, 3);
    assertThat(slot.slot()).isNotEqualTo(other.slot());
  }
}
