package io.quarry.agent.storage.block;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;

/**
 * Where the next frame of this host belongs. The place never goes back in the life of a process.
 * The cell says how far the host may have written, so a new life begins behind all frames and all
 * writes of earlier lives.
 */
final class OwnRing {
  /** A cell promises more of the ring at once than one frame needs: this part of the ring. */
  private static final int PROMISES = 2 * Cell.SEGMENTS_MAX;

  /** Large records leave this part of the ring free, small ones a bit less. */
  private static final int RESERVE = 2;

  /**
   * Small records leave three eighths: the longest record may have to be written again, and a term
   * begins with a record.
   */
  private static final double RESERVE_OF_SMALL = 0.375;

  /** A checkpoint is due when this part of the ring is needed. */
  private static final int DUE = 8;

  private static final int SMALL_BYTES = 2 * Layout.BLOCK;

  private final OwnCell own;
  private final Layout layout;
  private final Records records;
  private long next;
  private long current;

  /** The next frame begins a segment: the place before it may hold anything, now or later. */
  private boolean begins = true;

  /** Records fill the ring: a checkpoint has to come first. */
  static final class NoRoomException extends IOException {
    private static final long serialVersionUID = 1L;

    NoRoomException(String where) {
      super(where + ": the ring is full until the next checkpoint");
    }
  }

  OwnRing(OwnCell own, Layout layout, Records records) {
    this.own = own;
    this.layout = layout;
    this.records = records;
  }

  /** Announces a ballot, and the segments that readers need. */
  void announce(long ballot) throws IOException {
    own.write(cell -> announced(cell, ballot));
    if (begins) {
      current = next;
      begins = false;
    }
  }

  private Cell announced(Cell cell, long ballot) throws IOException {
    List<Long> segments = needed(cell);
    if (begins) {
      next = Math.max(next, cell.reach());
      if (segments.size() == Cell.SEGMENTS_MAX) {
        throw new NoRoomException(own.where());
      }
      segments.add(next);
    } else {
      keepCurrent(segments);
    }
    return cell.promising(ballot, segments, Math.max(cell.reach(), next));
  }

  /**
   * The place of a frame that is written next. Whatever comes of the write, no other frame gets the
   * place.
   *
   * @param spare whether to leave the reserve, which a new leader needs
   * @throws NoRoomException when records that are still needed fill the ring
   */
  long take(long length, long ballot, boolean spare) throws IOException {
    long round = layout.nextRound(next);
    long at = next + length > round ? round : next;
    long room = spare ? spare(length) : 0;
    Cell cell = own.get();
    if (at + length > cell.reach() || at + length + room > limit(cell.segments())) {
      // Readers begin where the cell says, so the cell changes before a frame is written over.
      own.write(older -> reaching(older, ballot, at, length, room));
    }
    begins = true;
    next = at + length;
    return at;
  }

  private long spare(long length) {
    return isSmall(length)
        ? (long) (layout.ringBytes() * RESERVE_OF_SMALL)
        : layout.ringBytes() / RESERVE;
  }

  static boolean isSmall(long length) {
    return length <= SMALL_BYTES;
  }

  /** The frame is there: the next one follows it. */
  void written() {
    begins = false;
  }

  private Cell reaching(Cell cell, long ballot, long at, long length, long room)
      throws IOException {
    List<Long> segments = needed(cell);
    keepCurrent(segments);
    if (at + length + room > limit(segments)) {
      throw new NoRoomException(own.where());
    }
    long promised = at + Math.max(length, Layout.padded(layout.ringBytes() / PROMISES));
    return cell.promising(ballot, segments, Math.max(cell.reach(), promised));
  }

  /** Whether a checkpoint should come soon. */
  boolean wantsCheckpoint() {
    Cell cell = own.get();
    boolean many =
        cell.segments().size() > Cell.SEGMENTS_MAX / 2
            && needed(cell).size() > Cell.SEGMENTS_MAX / 2;
    return many || next - records.oldestNeeded(cell.slot(), next) > layout.ringBytes() / DUE;
  }

  private long limit(List<Long> segments) {
    return segments.getFirst() + layout.ringBytes();
  }

  private void keepCurrent(List<Long> segments) {
    if (segments.isEmpty() || segments.getLast() < current) {
      segments.add(next);
    }
  }

  /** The segments without those that hold nothing any more, each from its first needed frame on. */
  private List<Long> needed(Cell cell) {
    NavigableSet<Long> positions = records.needed(cell.slot());
    List<Long> kept = new ArrayList<>();
    List<Long> segments = cell.segments();
    for (int i = 0; i < segments.size(); i++) {
      Long first = positions.ceiling(segments.get(i));
      boolean last = i + 1 == segments.size();
      if (first != null && (last || first < segments.get(i + 1))) {
        kept.add(first);
      }
    }
    return kept;
  }
}
