package io.quarry.agent.storage.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.LogDamagedException;
import io.quarry.coordinator.log.LogReader;
import io.quarry.coordinator.log.Names;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Damage is found, named, and hides nothing else. */
class BlockDamageTest extends BlockHosts {
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

  @Test
  void emptiedDeviceIsNoFreshLog() throws Exception {
    CommitLog.create(store(slot, host()));
    device.overwrite(LAYOUT.cell(slot.slot().orElseThrow()), new byte[2 * Layout.BLOCK]);
    assertThatThrownBy(() -> new LogReader(another(2)).load())
        .isInstanceOf(LogDamagedException.class)
        .hasMessageContaining("it is empty");
  }
}
