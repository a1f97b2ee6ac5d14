package io.quarry.agent.storage.block;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.storage.block.Cell.Area;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which of several frames is the record. */
class RecordsTest {
  private static final String X = "1".repeat(64);
  private static final String Y = "2".repeat(64);
  private static final String Z = "3".repeat(64);

  private final List<String> heard = new ArrayList<>();
  private final Records records = new Records(frame -> heard.add(frame.hash()));

  private static Frame frame(int slot, long ballot, long sequence, String hash, String previous) {
    return new Frame(slot, ballot, sequence, sequence * Layout.BLOCK, 100, hash, previous);
  }

  @Test
  void lastFrameIsLeftToTheCaller() {
    Frame only = frame(0, 64, 1, X, Hashes.NONE);
    records.add(only);
    assertThat(records.settle()).isEqualTo(only);
    assertThat(records.last()).isZero();
    records.decide(only);
    assertThat(records.last()).isEqualTo(1);
    assertThat(records.settle()).isNull();
  }

  @Test
  void highestBallotComesFirst() {
    records.add(frame(0, 64, 1, X, Hashes.NONE));
    records.add(frame(1, 129, 1, Y, Hashes.NONE));
    assertThat(records.settle()).extracting(Frame::hash).isEqualTo(Y);
  }

  /**
   * The ring with the record was read before the record was there, the next record's ring after.
   */
  @Test
  void nextFrameNamesTheRecord() {
    Frame stale = frame(0, 64, 1, Z, Hashes.NONE);
    records.add(stale);
    records.add(frame(2, 194, 2, Y, X));
    assertThat(records.settle()).isNull();
    assertThat(records.hasGap(null)).isTrue();
    assertThat(heard).isEmpty();
    records.add(frame(1, 129, 1, X, Hashes.NONE));
    assertThat(records.settle()).extracting(Frame::hash).isEqualTo(Y);
    assertThat(heard).containsExactly(X);
  }

  @Test
  void frameThatFollowsAnotherRecordIsNotTaken() {
    records.add(frame(0, 64, 1, X, Hashes.NONE));
    records.add(frame(0, 64, 2, Y, X));
    records.settle();
    Frame other = frame(1, 129, 2, Z, Y);
    records.add(other);
    assertThat(records.settle()).extracting(Frame::hash).isEqualTo(Y);
    assertThat(records.candidates()).doesNotContain(other);
  }

  @Test
  void secondNewestCheckpointSaysWhatIsNeeded() {
    for (long n = 1; n <= 4; n++) {
      records.add(frame(0, 64, n, hash(n), n == 1 ? Hashes.NONE : hash(n - 1)));
    }
    records.settle();
    records.cover(cells(3, 2));
    assertThat(records.floor()).isEqualTo(2);
    assertThat(records.numbers()).containsExactly(2L, 3L);
    assertThat(records.needed(0))
        .containsExactly(2L * Layout.BLOCK, 3L * Layout.BLOCK, 4L * Layout.BLOCK);
  }

  @Test
  void whoHasSleptGoesOnFromACheckpoint() {
    records.add(frame(0, 64, 8, hash(8), hash(7)));
    records.cover(cells(9, 8));
    assertThat(records.last()).isEqualTo(8);
    records.settle();
    assertThat(records.numbers()).containsExactly(8L);
  }

  @Test
  void frameWithoutAnAnswerIsNeeded() {
    Frame lost = frame(0, 64, 1, X, Hashes.NONE);
    records.expect(lost);
    assertThat(records.needed(0)).containsExactly(lost.position());
    assertThat(records.needed(1)).isEmpty();
  }

  private static String hash(long number) {
    return "%064x".formatted(number);
  }

  private static Cells cells(long... checkpoints) {
    List<Area> areas = new ArrayList<>();
    for (long sequence : checkpoints) {
      areas.add(new Area(sequence, areas.size(), 1, 0, hash(sequence)));
    }
    Key host = new Key("f".repeat(32));
    return new Cells(List.of(new Cell(0, host, 64, 1, 1 << 20, List.of(0L), areas)));
  }
}
