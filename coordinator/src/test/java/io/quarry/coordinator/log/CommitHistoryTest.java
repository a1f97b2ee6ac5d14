package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.coordinator.log.CommitHistory.Commit;
import io.quarry.coordinator.log.CommitHistory.Mark;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class CommitHistoryTest {
  private final MemoryDisk disk = new MemoryDisk();
  private final MemorySlotStore store = new MemorySlotStore(disk);
  private final CommitHistory history = new CommitHistory(store);

  private static List<Long> numbers(List<Commit> commits) {
    return commits.stream().map(commit -> commit.record().sequence()).toList();
  }

  private List<Commit> after(Mark mark, long last) throws IOException {
    return Objects.requireNonNull(history.after(mark, last, 100));
  }

  @Test
  void commitsComeInOrderAndCanBeGoneOnWithAfterAnyOfThem() throws Exception {
    Contender sdm = Contender.leading(store, "a", 9);
    List<Commit> all = after(Mark.START, 9);
    assertThat(numbers(all)).containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L);
    assertThat(all.getLast().mark()).isEqualTo(Mark.of(sdm.state.position()));
    assertThat(all.get(3).record().entries().getFirst().requestId()).isEqualTo("a.4");
    for (Commit commit : all) {
      List<Commit> rest = after(commit.mark(), 9);
      assertThat(rest).isEqualTo(all.subList((int) commit.record().sequence(), 9));
    }
    Mark third = all.get(2).mark();
    assertThat(numbers(Objects.requireNonNull(history.after(third, 9, 2)))).containsExactly(4L, 5L);
    assertThat(numbers(after(third, 6)))
        .as("up to the newest known commit")
        .containsExactly(4L, 5L, 6L);
  }

  @Test
  void freedCommitsAreNotSkipped() throws Exception {
    Contender sdm = Contender.leading(store, "a", 9);
    List<Commit> all = after(Mark.START, 9);
    sdm.checkpoint();
    sdm.commit("last");
    assertThat(history.after(Mark.START, 10, 100)).isNull();
    for (Commit commit : all.subList(0, 7)) {
      assertThat(history.after(commit.mark(), 10, 100)).as("after %s", commit).isNull();
    }
    assertThat(numbers(after(all.get(7).mark(), 10))).containsExactly(9L, 10L);
    assertThat(numbers(after(all.get(8).mark(), 10))).containsExactly(10L);
  }

  /**
   * Case 12.16: listeners can get all commits that the log still has, from its oldest checkpoint
   * on.
   */
  @Test
  void logLeadsOnFromTheOldestCommitThatACheckpointKeeps() throws Exception {
    Contender sdm = Contender.leading(store, "a", 9);
    List<Commit> all = after(Mark.START, 9);
    assertThat(history.oldest()).as("no commit is freed").isNull();
    sdm.checkpoint();
    for (int commit = 10; commit <= 14; commit++) {
      sdm.commit("r" + commit);
    }
    Mark oldest = Objects.requireNonNull(history.oldest());
    assertThat(oldest).as("the last commit of the older checkpoint").isEqualTo(all.get(7).mark());
    assertThat(numbers(after(oldest, 14))).containsExactly(9L, 10L, 11L, 12L, 13L, 14L);
    sdm.checkpoint();
    sdm.commit("r15");
    Mark next = Objects.requireNonNull(history.oldest());
    assertThat(numbers(after(next, 15))).last().isEqualTo(15L);
    assertThat(next.sequence()).isGreaterThan(oldest.sequence());
  }

  @Test
  void commitsFreedWhileTheyAreReadAreNotSkipped() throws Exception {
    for (int reads = 1; reads <= 4; reads++) {
      MemoryDisk fresh = new MemoryDisk();
      Contender sdm = Contender.leading(new MemorySlotStore(fresh), "a", 9);
      Mark third =
          Objects.requireNonNull(
                  new CommitHistory(new MemorySlotStore(fresh)).after(Mark.START, 3, 100))
              .getLast()
              .mark();
      String moment = "read " + Names.record(3 + reads);
      AtomicBoolean met = new AtomicBoolean();
      MemorySlotStore overtaken =
          new MemorySlotStore(
              fresh,
              step -> {
                if (step.equals(moment) && met.compareAndSet(false, true)) {
                  checkpoint(sdm);
                }
              });
      assertThat(new CommitHistory(overtaken).after(third, 9, 100)).as(moment).isNull();
      assertThat(met).isTrue();
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
  void recordInAFreedNameIsNoCommit() throws Exception {
    Contender zombie = Contender.leading(store, "a", 4);
    Mark fourth = Mark.of(zombie.state.position());
    Contender next = new Contender(store, "b");
    next.lead();
    List<String> requests = new ArrayList<>(List.of("r1", "r2", "r3"));
    for (String request : requests) {
      next.commit(request);
    }
    next.checkpoint();
    // The zombie does not know that it was deposed, and the record's name is free again.
    zombie.commit("void");
    assertThat(history.after(fourth, next.state.sequence(), 100)).isNull();
  }

  @Test
  void anotherHistoryOfTheSameLengthIsToldApart() throws Exception {
    Contender.leading(store, "a", 5);
    MemorySlotStore restored = new MemorySlotStore(new MemoryDisk());
    Contender.leading(restored, "b", 5);
    Mark other =
        Objects.requireNonNull(new CommitHistory(restored).after(Mark.START, 3, 100))
            .getLast()
            .mark();
    assertThat(history.after(other, 5, 100)).isNull();
  }

  @Test
  void damageIsNotPassedOver() throws Exception {
    Contender.leading(store, "a", 5);
    Mark second = after(Mark.START, 2).getLast().mark();
    disk.overwrite(Names.record(4), new byte[200]);
    assertThatThrownBy(() -> history.after(second, 5, 100))
        .isInstanceOf(LogDamagedException.class)
        .hasMessageContaining(Names.record(4));
  }
}
