package io.quarry.agent.storage.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.storage.block.SimDevice.WriteFault;
import io.quarry.coordinator.sim.Baton;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A slot belongs to one host at most. */
class SplittersTest {
  private static final Layout LAYOUT = Layout.ofRing(4 << 20);
  private static final int ORDERS = 2_000;

  private static Splitters splitters(BlockDevice device) {
    return new Splitters(device, LAYOUT, BlockStorage.KEY);
  }

  private static Key host(int number) {
    return new Key("%032x".formatted(number + 1));
  }

  @Test
  void hostsThatComeOneByOneGetTheFirstSlots() throws Exception {
    SimDevice device = new SimDevice(new Random(1));
    for (int i = 0; i < 3; i++) {
      assertThat(splitters(device.host(step -> {})).win(host(i), 3)).isEqualTo(i);
    }
    assertThatThrownBy(() -> splitters(device.host(step -> {})).win(host(3), 3))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("all 3 slots of hosts are taken");
  }

  /** Three hosts, in many orders of their steps; writes without an answer land at any time. */
  @Test
  void noSlotIsWonTwice() throws Exception {
    for (long seed = 0; seed < ORDERS; seed++) {
      Random random = new Random(seed);
      SimDevice device = new SimDevice(random);
      Baton baton = new Baton(random, 0.02);
      List<Integer> won = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        int number = i;
        baton.add(
            "host" + i,
            self -> {
              SimDevice.Host seen = device.host(self::step);
              if (random.nextInt(3) == 0) {
                seen.nextWrites(random.nextBoolean() ? WriteFault.LATE : WriteFault.LOST_REPLY);
              }
              try {
                won.add(splitters(seen).win(host(number), 8));
              } catch (IOException e) {
                self.step("gives up");
              }
              seen.landLate();
            });
      }
      baton.run();
      assertThat(won).as("seed %d", seed).hasSameSizeAs(new HashSet<>(won));
    }
  }
}
