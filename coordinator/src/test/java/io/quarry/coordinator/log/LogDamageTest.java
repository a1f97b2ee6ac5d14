package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Nothing is skipped and nothing is guessed: whatever is wrong is found, and the file is named. */
class LogDamageTest {
  private final MemoryDisk disk = new MemoryDisk();
  private final MemorySlotStore store = new MemorySlotStore(disk);
  private Candidate sdm = new Candidate(store, "a");

  /** Checkpoint 4, which its last record is kept for, and records 5 to 7. */
  @BeforeEach
  void smallLog() throws IOException {
    sdm = Candidate.leading(store, "a", 4);
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
      strings = {
        "0000000000000004.checkpoint",
        "0000000000000005.record",
        "0000000000000006.record",
        "0000000000000007.record"
      })
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
      strings = {
        "0000000000000004.checkpoint",
        "0000000000000005.record",
        "0000000000000006.record",
        "0000000000000007.record"
      })
  void truncationAtAnyByteIsFound(String name) {
    byte[] whole = content(name);
    for (int length = 0; length < whole.length; length++) {
      disk.overwrite(name, Arrays.copyOf(whole, length));
      assertFound(name, "truncation to " + length);
    }
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
  void missingCheckpointIsFoundByTheRecordsItCovered() {
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
    return Codec.checkpoint(4, content(Names.checkpoint(4)), "4");
  }

  @Test
  void recordOfAnotherHistoryIsFound() throws Exception {
    MemoryDisk other = new MemoryDisk();
    Candidate.leading(new MemorySlotStore(other), "b", 6);
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

  @Test
  void damageAnywhereInALongLogIsFound() throws Exception {
    for (long seed = 0; seed < 150; seed++) {
      Random random = new Random(seed);
      MemoryDisk large = new MemoryDisk();
      MemorySlotStore itsStore = new MemorySlotStore(large);
      Candidate writer = Candidate.leading(itsStore, "a", 1);
      List<String> path = new ArrayList<>();
      int records = 2 + random.nextInt(40);
      for (int i = 0; i < records; i++) {
        writer.commit("r" + i, "s" + i);
        path.add(Names.record(writer.state.sequence()));
        if (random.nextInt(12) == 0) {
          writer.checkpoint();
          path.clear();
          path.add(Names.checkpoint(writer.state.sequence()));
        }
      }
      String victim = path.get(random.nextInt(path.size()));
      String what = spoil(large, victim, random);
      LogDamagedException found =
          catchThrowableOfType(
              LogDamagedException.class, () -> new LogReader(itsStore, () -> {}).load());
      assertThat(found).as("seed %d: %s of %s", seed, what, victim).isNotNull();
      assertThat(found.file()).as("seed %d: %s", seed, what).isEqualTo("memory/" + victim);
    }
  }

  private static String spoil(MemoryDisk disk, String name, Random random) {
    byte[] whole = Objects.requireNonNull(disk.read(name));
    int at = random.nextInt(whole.length);
    int kind = random.nextInt(name.endsWith("checkpoint") ? 4 : 5);
    if (kind == 4) {
      disk.delete(name);
      return "absence";
    }
    byte[] spoilt =
        switch (kind) {
          case 0 -> Arrays.copyOf(whole, at);
          case 1 -> Arrays.copyOf(whole, whole.length + 1 + random.nextInt(600));
          default -> whole.clone();
        };
    if (kind == 2) {
      spoilt[at] ^= (byte) (1 << random.nextInt(8));
    } else if (kind == 3) {
      Arrays.fill(spoilt, at, Math.min(whole.length, at + 1 + random.nextInt(512)), (byte) 0);
    }
    disk.overwrite(name, spoilt);
    return "kind " + kind + " at " + at;
  }
}
