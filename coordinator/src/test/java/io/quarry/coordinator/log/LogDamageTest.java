package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Nothing is skipped and nothing is guessed: a reader finds each damage, and names the file. */
class LogDamageTest {
  private final MemoryDisk disk = new MemoryDisk();
  private final MemorySlotStore store = new MemorySlotStore(disk);
  private Contender sdm = new Contender(store, "a");

  /** Checkpoints 3 and 4, their last records, and records 5 to 7. */
  @BeforeEach
  void smallLog() throws IOException {
    sdm = Contender.leading(store, "a", 4);
    sdm.checkpoint();
    sdm.commit("r5");
    sdm.commit("r6", "r6b");
    sdm.commit("r7");
  }

  private LogDamagedException damage() {
    return catchThrowableOfType(
        LogDamagedException.class, () -> new LogReader(store, () -> {}).load());
  }

  private void assertFound(String name, String what) {
    LogDamagedException found = damage();
    assertThat(found).as(what + " in " + name).isNotNull();
    assertThat(found.file()).as(what).isEqualTo(store.describe(name));
    assertThat(found).hasMessageContaining(name);
  }

  private byte[] content(String name) {
    return Objects.requireNonNull(disk.read(name));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"0000000000000005.record", "0000000000000006.record", "0000000000000007.record"})
  void flippedBitAnywhereIsFound(String name) {
    byte[] whole = content(name);
    for (int i = 0; i < whole.length * 8; i++) {
      byte[] flipped = whole.clone();
      flipped[i / 8] ^= (byte) (1 << (i % 8));
      disk.overwrite(name, flipped);
      assertFound(name, "bit " + i);
    }
    disk.overwrite(name, whole);
    assertThat(damage()).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"0000000000000005.record", "0000000000000006.record", "0000000000000007.record"})
  void truncationAtAnyByteIsFound(String name) {
    byte[] whole = content(name);
    for (int length = 0; length < whole.length; length++) {
      disk.overwrite(name, Arrays.copyOf(whole, length));
      assertFound(name, "truncation to " + length);
    }
  }

  private void assertWhole(String what) throws IOException {
    LogState seen = new LogReader(store, () -> {}).load();
    assertThat(Fingerprint.of(seen)).as(what).isEqualTo(Fingerprint.of(sdm.state));
  }

  @Test
  void oneSpoiltCheckpointLosesNothing() throws Exception {
    byte[] whole = content(Names.checkpoint(4));
    for (int i = 0; i < whole.length; i++) {
      disk.overwrite(Names.checkpoint(4), Arrays.copyOf(whole, i));
      assertWhole("truncation to " + i);
    }
    disk.delete(Names.checkpoint(4));
    assertWhole("absence of the newest");
    disk.overwrite(Names.checkpoint(4), whole);
    disk.delete(Names.checkpoint(3));
    assertWhole("absence of the one before");
  }

  @Test
  void firstCheckpointThatIsSpoiltLosesNothing() throws Exception {
    MemoryDisk young = new MemoryDisk();
    MemorySlotStore itsStore = new MemorySlotStore(young);
    Contender writer = Contender.leading(itsStore, "a", 5);
    new Checkpointer(itsStore).checkpoint(writer.state);
    writer.commit("last");
    young.overwrite(Names.checkpoint(5), new byte[] {1});
    LogState seen = new LogReader(itsStore, () -> {}).load();
    assertThat(Fingerprint.of(seen)).isEqualTo(Fingerprint.of(writer.state));
    young.delete(CommitLog.CREATED);
    seen = new LogReader(itsStore, () -> {}).load();
    assertThat(Fingerprint.of(seen)).isEqualTo(Fingerprint.of(writer.state));
  }

  @Test
  void checkpointThatDoesNotReadBackFreesNothing() throws Exception {
    List<String> before = store.list();
    for (int i = 0; i < 3; i++) {
      sdm.commit("more " + i);
      store.spoilNextCheckpoint();
      assertThat(
              catchThrowableOfType(
                  LogDamagedException.class, () -> new Checkpointer(store).checkpoint(sdm.state)))
          .hasMessageContaining(Names.checkpoint(sdm.state.sequence()));
      assertWhole("spoilt when written");
    }
    assertThat(store.list()).containsAll(before);
    sdm.commit("good");
    sdm.commit("better");
    sdm.checkpoint();
    assertThat(store.list()).hasSize(4);
    assertWhole("two good ones");
  }

  @Test
  void spoiltCheckpointIsNotOneOfThoseThatAreKept() throws Exception {
    disk.overwrite(Names.checkpoint(4), new byte[] {1});
    new Checkpointer(store).checkpoint(sdm.state);
    disk.overwrite(Names.checkpoint(7), new byte[] {1});
    assertWhole("the one kept since before");
  }

  @Test
  void emptiedDirectoryIsNoFreshLog() {
    for (String name : disk.names()) {
      disk.delete(name);
    }
    assertThat(damage().file()).isEqualTo(store.describe(""));
    disk.noHead();
    assertThat(damage().file()).isEqualTo(store.describe(""));
    LogDamagedException later =
        catchThrowableOfType(
            LogDamagedException.class, () -> new LogReader(store, () -> {}).catchUp(sdm.state));
    assertThat(later.file()).isEqualTo(store.describe(""));
  }

  @Test
  void appendedBytesAreFound() {
    disk.overwrite(Names.record(6), Arrays.copyOf(content(Names.record(6)), 600));
    assertFound(Names.record(6), "appended bytes");
  }

  @ParameterizedTest
  @ValueSource(strings = {"0000000000000005.record", "0000000000000006.record"})
  void missingRecordIsFound(String name) {
    disk.delete(name);
    assertFound(name, "absence");
  }

  @Test
  void missingLastRecordIsFoundByTheHead() {
    disk.delete(Names.record(7));
    assertFound(Names.record(7), "absence");
  }

  @Test
  void missingTailIsFoundByTheHead() {
    disk.delete(Names.record(6));
    disk.delete(Names.record(7));
    assertFound(Names.record(6), "absence");
  }

  @Test
  void missingCheckpointsAreFoundByTheRecordsTheyCovered() {
    disk.delete(Names.checkpoint(3));
    disk.delete(Names.checkpoint(4));
    assertFound(Names.record(1), "absence");
  }

  @Test
  void replicaThatCatchesUpFindsDamageToo() throws Exception {
    LogState at5 = Codec.follow(checkpointed(), content(Names.record(5)), "5");
    byte[] whole = content(Names.record(7));
    whole[whole.length / 2] ^= 1;
    disk.overwrite(Names.record(7), whole);
    LogDamagedException found =
        catchThrowableOfType(
            LogDamagedException.class, () -> new LogReader(store, () -> {}).catchUp(at5));
    assertThat(found.file()).isEqualTo(store.describe(Names.record(7)));
  }

  private LogState checkpointed() throws IOException {
    return CheckpointCodec.read(4, new ByteArrayInputStream(content(Names.checkpoint(4))), "4");
  }

  @Test
  void recordOfAnotherHistoryIsFound() throws Exception {
    MemoryDisk other = new MemoryDisk();
    Contender.leading(new MemorySlotStore(other), "b", 6);
    disk.overwrite(Names.record(6), Objects.requireNonNull(other.read(Names.record(6))));
    assertFound(Names.record(6), "another history");
  }

  @Test
  void recordUnderAnotherNumberIsFound() {
    disk.overwrite(Names.record(6), content(Names.record(5)));
    assertFound(Names.record(6), "another number");
  }

  @Test
  void namesThatAreNoSlotsDoNotMatter() throws Exception {
    disk.link(".nfs000000000000abcd00000001", new byte[] {1});
    disk.link("0000000000000008.record.partial", new byte[] {1});
    disk.link("8.record", new byte[] {1});
    assertThat(Fingerprint.of(new LogReader(store).load())).isEqualTo(Fingerprint.of(sdm.state));
  }
}
