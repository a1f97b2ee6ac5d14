package io.quarry.agent.storage.block;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.storage.block.SimDevice.WriteFault;
import io.quarry.coordinator.log.LogDamagedException;
import io.quarry.coordinator.log.Names;
import io.quarry.coordinator.log.SlotStore;
import io.quarry.coordinator.log.SlotStore.Put;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One fault at a time, at the place where it hurts most. */
class BlockFaultsTest {
  private static final Layout LAYOUT = Layout.ofRing(4 << 20);
  private static final int SLOTS = 8;

  private final SimDevice device = new SimDevice(new Random(1));
  private final TestSlot slot = new TestSlot(1);

  private SimDevice.Host host() {
    return device.host(step -> {});
  }

  private static BlockSlotStore store(TestSlot slot, BlockDevice seen) {
    return new BlockSlotStore(seen, LAYOUT, BlockStorage.KEY, slot, SLOTS, turn -> {}, frame -> {});
  }

  private BlockSlotStore another(int number) {
    return store(new TestSlot(number), host());
  }

  private static Put put(SlotStore store, long sequence) throws IOException {
    return store.putIfAbsent(Names.record(sequence), text(sequence));
  }

  private static void put(SlotStore store, long first, long last) throws IOException {
    for (long sequence = first; sequence <= last; sequence++) {
      assertThat(put(store, sequence)).isEqualTo(Put.CREATED);
    }
  }

  private static void checkpoint(SlotStore store, long... sequences) throws IOException {
    for (long sequence : sequences) {
      store.putIfAbsent(Names.checkpoint(sequence), new byte[10]);
    }
  }

  private static byte[] text(long sequence) {
    return ("record " + sequence).getBytes(UTF_8);
  }

  private static void assertReads(SlotStore store, long first, long last) throws IOException {
    for (long sequence = first; sequence <= last; sequence++) {
      assertThat(store.read(Names.record(sequence))).as("%d", sequence).isEqualTo(text(sequence));
    }
  }

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

  /** Frames behind a damaged one are found, and what a checkpoint covers is not missed. */
  @Test
  void damageThatACheckpointCovers() throws Exception {
    BlockSlotStore leader = store(slot, host());
    checkpoint(leader, 0);
    put(leader, 1, 20);
    checkpoint(leader, 5, 15);
    leader.writeHead(20);
    damage(10);
    BlockSlotStore other = another(2);
    assertThat(other.list())
        .contains(Names.record(16), Names.record(20))
        .doesNotContain(Names.record(10));
    put(other, 21, 22);
    assertReads(another(3), 16, 22);
  }

  @ParameterizedTest
  @ValueSource(longs = {16, 18})
  void damageThatNoCheckpointCovers(long record) throws Exception {
    BlockSlotStore leader = store(slot, host());
    checkpoint(leader, 0);
    put(leader, 1, 20);
    checkpoint(leader, 5, 15);
    damage(record);
    BlockSlotStore other = another(2);
    assertThatThrownBy(
            () -> {
              for (int i = 0; i < 3; i++) {
                put(other, 21);
              }
            })
        .hasRootCauseInstanceOf(LogDamagedException.class)
        .hasMessageContaining("record " + record);
  }

  @Test
  void lastRecordThatIsGoneIsNotWrittenAnew() throws Exception {
    BlockSlotStore leader = store(slot, host());
    checkpoint(leader, 0);
    put(leader, 1, 20);
    leader.writeHead(20);
    damage(20);
    BlockSlotStore other = another(2);
    assertThatThrownBy(() -> put(other, 20))
        .hasRootCauseInstanceOf(LogDamagedException.class)
        .hasMessageContaining("record 20");
  }

  /** A damaged frame that is not needed hides nothing from its own host's next life. */
  @Test
  void hostWhoseOldFrameIsDamagedStartsAgain() throws Exception {
    BlockSlotStore before = store(slot, host());
    checkpoint(before, 0);
    put(before, 1, 60);
    checkpoint(before, 3, 6);
    BlockSlotStore follower = another(2);
    assertReads(follower, 6, 60);
    damage(10);
    checkpoint(before, 30, 40);
    BlockSlotStore again = store(slot, host());
    put(again, 61, 65);
    assertReads(follower, 40, 65);
    assertReads(another(3), 40, 65);
  }

  private void damage(long record) {
    device.overwrite(
        LAYOUT.ring(slot.slot().orElseThrow(), (record - 1) * Layout.BLOCK),
        new byte[Layout.BLOCK]);
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
  void restartsWithoutCheckpointsLeaveRoom() throws Exception {
    checkpoint(store(slot, host()), 0);
    long next = 1;
    for (int life = 0; life < Cell.SEGMENTS_MAX; life++) {
      put(store(slot, host()), next, next + 9);
      next += 10;
    }
    BlockSlotStore last = store(slot, host());
    assertThatThrownBy(() -> put(last, 161)).isInstanceOf(IOException.class);
    checkpoint(last, 150, 160);
    put(last, 161, 200);
    assertReads(another(2), 160, 200);
  }

  /** As the SDM does: a checkpoint whenever one is wanted. */
  @Test
  void ringNeverFillsWhenCheckpointsComeInTime() throws Exception {
    BlockSlotStore leader = store(slot, host());
    checkpoint(leader, 0);
    byte[] large = new byte[100_000];
    int checkpoints = 0;
    for (long sequence = 1; sequence <= 300; sequence++) {
      assertThat(leader.putIfAbsent(Names.record(sequence), large)).isEqualTo(Put.CREATED);
      if (leader.wantsCheckpoint()) {
        checkpoint(leader, sequence - 1, sequence);
        checkpoints++;
      }
    }
    assertThat(checkpoints).isBetween(10, 200);
    assertThat(another(2).list()).contains(Names.record(300));
  }

  @Test
  void fullRingLeavesRoomForSmallRecords() throws Exception {
    BlockSlotStore leader = store(slot, host());
    checkpoint(leader, 0);
    byte[] large = new byte[300_000];
    long next = 1;
    IOException full = null;
    while (full == null) {
      try {
        leader.putIfAbsent(Names.record(next), large);
        next++;
      } catch (IOException e) {
        full = e;
      }
    }
    assertThat(full).hasMessageContaining("full until the next checkpoint");
    put(leader, next, next + 2);
    checkpoint(leader, next + 1, next + 2);
    assertThat(leader.putIfAbsent(Names.record(next + 3), large)).isEqualTo(Put.CREATED);
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

  /** No caller may hear that a number is free when the record is only damaged. */
  @Test
  void damagedRecordIsNotFree() throws Exception {
    BlockSlotStore first = store(slot, host());
    checkpoint(first, 0);
    put(first, 1, 3);
    TestSlot secondSlot = new TestSlot(2);
    put(store(secondSlot, host()), 4, 6);
    long ring = LAYOUT.ring(secondSlot.slot().orElseThrow(), Layout.BLOCK);
    device.overwrite(ring, new byte[Layout.BLOCK]);
    assertThatThrownBy(() -> first.readStart(Names.record(4), 1))
        .isInstanceOf(LogDamagedException.class)
        .hasMessageContaining(Names.record(4));
  }

  @Test
  void damagedRecordThatACheckpointCoversIsNotFree() throws Exception {
    BlockSlotStore first = store(slot, host());
    checkpoint(first, 0);
    put(first, 1, 5);
    checkpoint(first, 3);
    TestSlot secondSlot = new TestSlot(2);
    BlockSlotStore second = store(secondSlot, host());
    put(second, 6, 10);
    checkpoint(second, 10);
    long ring = LAYOUT.ring(secondSlot.slot().orElseThrow(), Layout.BLOCK);
    device.overwrite(ring, new byte[Layout.BLOCK]);
    assertThatThrownBy(() -> first.readStart(Names.record(6), 1))
        .isInstanceOf(LogDamagedException.class)
        .hasMessageContaining(Names.record(6));
    assertThat(first.list()).contains(Names.record(10), Names.checkpoint(10));
  }

  /** Each life writes the last record again; checkpoints in time leave room for that. */
  @Test
  void longRecordIsWrittenAgainAfterARestart() throws Exception {
    checkpoint(store(slot, host()), 0);
    for (long next = 1; next <= 20; next++) {
      BlockSlotStore life = store(slot, host());
      assertThat(life.putIfAbsent(Names.record(next), new byte[1_000_000])).isEqualTo(Put.CREATED);
      assertThat(life.wantsCheckpoint()).isTrue();
      checkpoint(life, next);
    }
    assertThat(another(2).list()).contains(Names.record(20), Names.checkpoint(20));
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
