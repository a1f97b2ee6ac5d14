package io.quarry.agent.storage.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.storage.block.SimDevice.WriteFault;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No promise is ever taken back. */
class OwnCellTest {
  private static final Key KEY = BlockStorage.KEY;
  private static final Key HOST = new Key("a".repeat(32));
  private static final int SLOT = 3;

  private final Layout layout = Layout.ofRing(4 << 20);
  private final SimDevice device = new SimDevice(new Random(1));
  private final SimDevice.Host host = device.host(step -> {});
  private final CellReader reader = new CellReader(device.host(step -> {}), layout, KEY, () -> 8);

  private OwnCell life() throws IOException {
    Cell found = reader.read(SLOT);
    return new OwnCell(host, layout, KEY, found == null ? Cell.first(SLOT, HOST) : found);
  }

  private static void promise(OwnCell own, long ballot) throws IOException {
    own.write(cell -> cell.promising(ballot, List.of(0L), 0));
  }

  private long ballot() throws IOException {
    return Objects.requireNonNull(reader.read(SLOT)).ballot();
  }

  @Test
  void newestWriteCounts() throws Exception {
    OwnCell own = life();
    for (long ballot = 1; ballot <= 5; ballot++) {
      promise(own, ballot);
      assertThat(ballot()).isEqualTo(ballot);
    }
    promise(life(), 6);
    assertThat(ballot()).isEqualTo(6);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void writeThatLandsLateTakesNoPromiseBack(int writesBetween) throws Exception {
    OwnCell own = life();
    promise(own, 1);
    host.nextWrites(WriteFault.LATE);
    assertThatThrownBy(() -> promise(own, 2)).isInstanceOf(IOException.class);
    for (int i = 1; i <= writesBetween; i++) {
      promise(own, 2 + i);
    }
    host.landLate();
    assertThat(ballot()).isEqualTo(2 + writesBetween);
    promise(own, 10);
    assertThat(ballot()).isEqualTo(10);
  }

  @Test
  void hostStopsWhenNeitherBlockCanBeWritten() throws Exception {
    OwnCell own = life();
    host.nextWrites(WriteFault.LATE, WriteFault.LATE);
    assertThatThrownBy(() -> promise(own, 1)).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> promise(own, 2)).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> promise(own, 3))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("restart the agent");
    host.landLate();
    promise(own, 4);
    assertThat(ballot()).isEqualTo(4);
  }

  @Test
  void clonedHostIsFound() throws Exception {
    OwnCell own = life();
    promise(own, 1);
    OwnCell clone = life();
    promise(clone, 2);
    assertThatThrownBy(() -> promise(own, 3))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("state directory of its own");
    assertThat(ballot()).isEqualTo(2);
  }

  @Test
  void brokenBlockIsNotTakenForEmpty() throws Exception {
    promise(life(), 7);
    long offset = layout.cell(SLOT) + Layout.BLOCK;
    byte[] block = device.get(offset, Layout.BLOCK);
    block[40] ^= 1;
    device.overwrite(offset, block);
    assertThatThrownBy(this::ballot)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("cannot be verified");
  }

  @Test
  void cellThatGoesBackIsFound() throws Exception {
    OwnCell own = life();
    promise(own, 1);
    byte[] before = device.get(layout.cell(SLOT), 2 * Layout.BLOCK);
    promise(own, 2);
    assertThat(ballot()).isEqualTo(2);
    device.overwrite(layout.cell(SLOT), before);
    assertThatThrownBy(() -> promise(own, 3)).isInstanceOf(IOException.class);
    device.overwrite(layout.cell(SLOT), new byte[2 * Layout.BLOCK]);
    assertThatThrownBy(() -> promise(own, 3)).isInstanceOf(IOException.class);
    assertThatThrownBy(this::ballot)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("gone back");
  }

  @Test
  void blocksOfAFormerUseAreVoid() throws Exception {
    promise(life(), 1);
    Key other = new Key("b".repeat(32));
    assertThat(new CellReader(host, layout, other, () -> 8).read().highestBallot()).isZero();
  }
}
