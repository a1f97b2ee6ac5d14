package io.quarry.agent.storage.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.CommitLog.Outcome;
import io.quarry.coordinator.log.Contender;
import io.quarry.coordinator.log.Names;
import io.quarry.coordinator.log.SlotStore.Put;
import io.quarry.coordinator.sdm.SdmHost;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Records fill the ring of a host, and checkpoints make room. */
class FullRingTest extends BlockHosts {
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

  /** The ring has no room for a second record of the term, and so for a checkpoint after it. */
  @Test
  void termThatBeginsOnAFullRingMakesRoom() throws Exception {
    Layout small = Layout.ofRing(256 << 10);
    BlockSlotStore before = store(slot, host(), small);
    CommitLog.create(before);
    Contender sdm = Contender.leading(before, "before", 1);
    int records = 0;
    while (sdm.commit("record" + records) instanceof Outcome.Committed) {
      records++;
    }
    assertThat(records).isGreaterThan(30);
    try (SdmHost next = SdmHost.leading(store(slot, host(), small), "next")) {
      Awaitility.await()
          .until(() -> {
            next.sdm.lead();
            var answer = next.create("disk").handle((reply, refusal) -> refusal == null);
            return answer.get(30, TimeUnit.SECONDS);
          });
    }
  }
}
