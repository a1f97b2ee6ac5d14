package io.quarry.agent.storage.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.storage.Genesis;
import io.quarry.agent.storage.GenesisCodec;
import io.quarry.agent.storage.block.BlockConnection.Connected;
import io.quarry.agent.storage.block.SimDevice.WriteFault;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.Contender;
import io.quarry.coordinator.log.LogDamagedException;
import io.quarry.coordinator.log.LogReader;
import io.quarry.coordinator.log.Names;
import io.quarry.coordinator.sim.Baton;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A device becomes one repository, however many hosts make it one. */
class BlockConnectionTest {
  private static final String FORMAT = "clvm-1.2";
  private static final int ORDERS = 300;
  private static final int HOSTS = 3;
  private static final int SLOTS = 8;
  private static final List<WriteFault> FAULTS = List.of(WriteFault.values());

  private final SimDevice device = new SimDevice(new Random(1));

  private static BlockConnection connection(BlockDevice seen, int host, Leader.Pause pause) {
    return new BlockConnection(FORMAT, seen, BlockStorage.KEY, new TestSlot(host), pause);
  }

  private BlockConnection host(int number) {
    return connection(device.host(step -> {}), number, turn -> {});
  }

  private static Connected create(BlockConnection connection) throws IOException {
    return connection.create(GenesisCodec.fresh(FORMAT), SLOTS);
  }

  @Test
  void unusedDeviceIsNotWrittenTo() throws Exception {
    SimDevice.Host seen = device.host(step -> assertThat(step).startsWith("read"));
    assertThat(connection(seen, 1, turn -> {}).connect()).isNull();
  }

  @Test
  void otherHostsFindTheRepository() throws Exception {
    Connected made = create(host(1));
    Contender sdm = Contender.leading(made.log(), "a", 5);
    Connected found = create(host(2));
    assertThat(found.genesis()).isEqualTo(made.genesis());
    assertThat(found.genesis().blocks()).isEqualTo(new Genesis.Blocks(4 << 20, SLOTS));
    assertThat(new LogReader(found.log()).load().position()).isEqualTo(sdm.state.position());
  }

  /** The hosts die and lose answers; one that gets a repository gets the same as all others. */
  @Test
  void hostsThatMakeARepositoryAtOnceGetTheSame() throws Exception {
    for (long seed = 0; seed < ORDERS; seed++) {
      Random random = new Random(seed);
      SimDevice contested = new SimDevice(random);
      Baton baton = new Baton(random, 0.002);
      List<Genesis> made = new ArrayList<>();
      for (int i = 0; i < HOSTS; i++) {
        int number = i;
        baton.add(
            "host" + i,
            self -> {
              SimDevice.Host seen = contested.host(self::step);
              seen.nextWrites(anyFaults(random));
              try {
                made.add(
                    create(connection(seen, number, turn -> self.step("backs off"))).genesis());
              } catch (IOException e) {
                self.step("gives up");
              }
              seen.landLate();
            });
      }
      baton.run();
      Connected after = create(connection(contested.host(step -> {}), HOSTS, turn -> {}));
      made.add(after.genesis());
      assertThat(new HashSet<>(made)).as("seed %d", seed).hasSize(1);
      Contender.leading(after.log(), "a", 2);
    }
  }

  private static WriteFault[] anyFaults(Random random) {
    WriteFault[] faults = new WriteFault[random.nextInt(8)];
    for (int i = 0; i < faults.length; i++) {
      faults[i] =
          random.nextInt(3) == 0 ? FAULTS.get(random.nextInt(FAULTS.size())) : WriteFault.NONE;
    }
    return faults;
  }

  enum Copy {
    RECORD(Layout.GENESIS.ring(0, 0)),
    CHECKPOINT(Layout.GENESIS.area(0, 0));

    private final long offset;

    Copy(long offset) {
      this.offset = offset;
    }
  }

  @ParameterizedTest
  @EnumSource(Copy.class)
  void oneOfTheTwoCopiesIsEnough(Copy damaged) throws Exception {
    Connected made = create(host(1));
    assertThat(device.get(damaged.offset, Layout.BLOCK)).isNotEqualTo(new byte[Layout.BLOCK]);
    device.overwrite(damaged.offset, new byte[Layout.BLOCK]);
    Connected found = Objects.requireNonNull(host(2).connect());
    assertThat(found.genesis()).isEqualTo(made.genesis());
  }

  @Test
  void withoutACopyItIsDamage() throws Exception {
    create(host(1));
    for (Copy copy : Copy.values()) {
      device.overwrite(copy.offset, new byte[Layout.BLOCK]);
    }
    assertThatThrownBy(() -> host(2).connect()).isInstanceOf(LogDamagedException.class);
  }

  /** An empty log would be a repository without images. */
  @Test
  void logThatWasBegunIsNotBegunAgain() throws Exception {
    Contender.leading(create(host(1)).log(), "a", 5);
    Layout layout = Layout.ofRing(4 << 20);
    device.overwrite(layout.cell(0), new byte[2 * Layout.BLOCK]);
    Connected found = create(host(2));
    assertThat(found.log().list()).doesNotContain(CommitLog.CREATED);
    assertThatThrownBy(() -> new LogReader(found.log()).load()).isInstanceOf(IOException.class);
  }

  /** The host that made the record died before the log was begun. */
  @Test
  void anotherHostBeginsTheLog() throws Exception {
    Genesis genesis = GenesisCodec.fresh(FORMAT).on(new Genesis.Blocks(4 << 20, SLOTS));
    new GenesisLog(device.host(step -> {}), BlockStorage.KEY, new TestSlot(1), turn -> {})
        .decide(GenesisCodec.encode(genesis));
    Connected found = Objects.requireNonNull(host(2).connect());
    assertThat(found.genesis()).isEqualTo(genesis);
    assertThat(found.log().list()).containsExactly(Names.checkpoint(0));
  }

  @Test
  void repositoryOfAnotherFormatIsRefused() throws Exception {
    create(host(1));
    SimDevice.Host seen = device.host(step -> {});
    BlockConnection other =
        new BlockConnection("clvm-9.9", seen, BlockStorage.KEY, new TestSlot(2), turn -> {});
    assertThatThrownBy(other::connect)
        .isInstanceOf(StorageException.class)
        .hasMessageContaining(FORMAT);
  }

  @Test
  void deviceThatIsTooSmallIsRefusedAndNotWrittenTo() {
    SimDevice.Host seen = device.host(step -> assertThat(step).startsWith("read"));
    seen.shrink(Layout.DEVICE_BYTES_MIN - 1);
    assertThatThrownBy(() -> create(connection(seen, 1, turn -> {})))
        .isInstanceOf(StorageException.class)
        .hasMessageContaining("too small");
  }
}
