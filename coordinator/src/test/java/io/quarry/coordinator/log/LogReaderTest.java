package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class LogReaderTest {
  private final MemoryDisk disk = new MemoryDisk();

  private static void noPause() throws IOException {
    throw new AssertionError("nothing is missing, so there is nothing to wait for");
  }

  @Test
  void emptyLogIsAnEmptyRepository() throws Exception {
    LogState state = new LogReader(new MemorySlotStore(disk)).load();
    assertThat(Fingerprint.of(state)).isEqualTo(Fingerprint.of(LogState.EMPTY));
  }

  @Test
  void checkpointAndTailGiveTheSameAsAllRecords() throws Exception {
    Contender sdm = Contender.leading(new MemorySlotStore(disk), "a", 7);
    sdm.checkpoint();
    sdm.commit("r8", "r9");
    LogState fresh = new LogReader(new MemorySlotStore(disk)).load();
    assertThat(Fingerprint.of(fresh)).isEqualTo(Fingerprint.of(sdm.state));
    assertThat(new MemorySlotStore(disk).list())
        .containsExactlyInAnyOrder(
            Names.checkpoint(6),
            Names.record(6),
            Names.checkpoint(7),
            Names.record(7),
            Names.record(8));
  }

  @Test
  void busyLogIsNotDamaged() throws Exception {
    Contender sdm = Contender.leading(new MemorySlotStore(disk), "a", 3);
    MemorySlotStore behind =
        new MemorySlotStore(
            disk,
            step -> {
              if (step.equals("list")) {
                commit(sdm);
              }
            });
    LogState seen = new LogReader(behind, LogReaderTest::noPause).catchUp(LogState.EMPTY);
    assertThat(seen.sequence()).isGreaterThanOrEqualTo(3);
  }

  private static void commit(Contender sdm) {
    try {
      sdm.commit("more " + sdm.state.sequence());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void readerFarBehindAVacuumStartsOverAtOnce() throws Exception {
    Contender sdm = Contender.leading(new MemorySlotStore(disk), "a", 3);
    LogState old = sdm.state;
    for (int i = 0; i < 20; i++) {
      sdm.commit("r" + i);
    }
    sdm.checkpoint();
    sdm.commit("last");
    LogState seen = new LogReader(new MemorySlotStore(disk), LogReaderTest::noPause).catchUp(old);
    assertThat(Fingerprint.of(seen)).isEqualTo(Fingerprint.of(sdm.state));
  }

  @Test
  void readerOvertakenBetweenCheckpointAndTailStartsOver() throws Exception {
    for (String moment : new String[] {"read 0000000000000004.record", "list", "head"}) {
      MemoryDisk fresh = new MemoryDisk();
      Contender sdm = Contender.leading(new MemorySlotStore(fresh), "a", 3);
      sdm.checkpoint();
      sdm.commit("before");
      AtomicBoolean once = new AtomicBoolean();
      MemorySlotStore slow =
          new MemorySlotStore(
              fresh,
              step -> {
                if (step.equals(moment) && once.compareAndSet(false, true)) {
                  for (int i = 0; i < 5; i++) {
                    commit(sdm);
                  }
                  checkpoint(sdm);
                  commit(sdm);
                }
              });
      LogState seen = new LogReader(slow, LogReaderTest::noPause).load();
      assertThat(Fingerprint.of(seen)).as(moment).isEqualTo(Fingerprint.of(sdm.state));
    }
  }

  private static void checkpoint(Contender sdm) {
    try {
      sdm.checkpoint();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void recordInAFreedNameMisleadsNoReader() throws Exception {
    Contender sdm = Contender.leading(new MemorySlotStore(disk), "a", 3);
    LogState old = sdm.state;
    byte[] orphan = Codec.encode(orphanAfter(old)).bytes();
    for (int i = 0; i < 5; i++) {
      sdm.commit("r" + i);
    }
    sdm.checkpoint();
    disk.link(Names.record(4), orphan);
    LogState seen = new LogReader(new MemorySlotStore(disk)).catchUp(old);
    assertThat(Fingerprint.of(seen)).isEqualTo(Fingerprint.of(sdm.state));
  }

  private static LogRecord orphanAfter(LogState state) {
    return new LogRecord(
        state.sequence() + 1,
        state.position().hash(),
        state.position().term(),
        "zombie",
        "nonce",
        Contender.NOW,
        java.util.List.of(Contender.entry(state, "stray", "stray")));
  }

  @Test
  void catchingUpListsNothingWhenTheHeadIsRight() throws Exception {
    Contender sdm = Contender.leading(new MemorySlotStore(disk), "a", 3);
    LogState old = sdm.state;
    sdm.commit("r1");
    sdm.commit("r2");
    MemorySlotStore unlisted =
        new MemorySlotStore(disk, step -> assertThat(step).isNotEqualTo("list"));
    LogState seen = new LogReader(unlisted).catchUp(old);
    assertThat(Fingerprint.of(seen)).isEqualTo(Fingerprint.of(sdm.state));
    assertThat(new LogReader(unlisted).catchUp(seen)).isEqualTo(seen);
  }

  @Test
  void catchingUpWithoutAHeadListsTheDirectory() throws Exception {
    Contender sdm = Contender.leading(new MemorySlotStore(disk), "a", 3);
    MemoryDisk headless = new MemoryDisk();
    for (long sequence = 1; sequence <= 3; sequence++) {
      byte[] record = Objects.requireNonNull(disk.read(Names.record(sequence)));
      headless.link(Names.record(sequence), record);
    }
    headless.delete(Names.record(2));
    LogReader reader = new LogReader(new MemorySlotStore(headless), () -> {});
    LogState first =
        Codec.follow(LogState.EMPTY, Objects.requireNonNull(disk.read(Names.record(1))), "1");
    assertThatThrownBy(() -> reader.catchUp(first)).hasMessageContaining(Names.record(2));
    assertThat(sdm.state.sequence()).isEqualTo(3);
  }

  @Test
  void readErrorIsNoDamage() throws Exception {
    MemorySlotStore store = new MemorySlotStore(disk);
    Contender.leading(store, "a", 3);
    store.failReads(1);
    assertThatThrownBy(() -> new LogReader(store).load())
        .isInstanceOf(IOException.class)
        .isNotInstanceOf(LogDamagedException.class);
    assertThat(new LogReader(store).load().sequence()).isEqualTo(3);
  }
}
