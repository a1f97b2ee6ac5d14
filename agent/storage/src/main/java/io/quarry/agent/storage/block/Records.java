package io.quarry.agent.storage.block;

import io.quarry.agent.storage.block.Cell.Area;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Which frames are records of the log. Several leaders may have written frames of one number. The
 * frame with the highest ballot of the next number names the one that counts.
 */
final class Records {
  private final NavigableMap<Long, List<Frame>> frames = new TreeMap<>();
  private final NavigableMap<Long, Frame> decided = new TreeMap<>();
  private final List<Frame> uncertain = new ArrayList<>();
  private final Listener listener;
  private long floor;
  private long last;
  private String lastHash = Hashes.NONE;

  /** Hears of each record that this process takes for decided. */
  @FunctionalInterface
  interface Listener {
    void decided(Frame frame);
  }

  Records(Listener listener) {
    this.listener = listener;
  }

  void add(Frame frame) {
    if (frame.sequence() >= floor) {
      List<Frame> same = frames.computeIfAbsent(frame.sequence(), n -> new ArrayList<>());
      if (!same.contains(frame)) {
        same.add(frame);
      }
    }
  }

  /** The number of the last record that is known to be decided. */
  long last() {
    return last;
  }

  String lastHash() {
    return lastHash;
  }

  /** The record of a number, or null when that is not known, or not known any more. */
  @Nullable Frame decided(long sequence) {
    return decided.get(sequence);
  }

  /** Numbers of the records that can be read. */
  List<Long> numbers() {
    return List.copyOf(decided.keySet());
  }

  /** Other frames that hold the same record. */
  List<Frame> copies(Frame of) {
    return frames.getOrDefault(of.sequence(), List.of()).stream()
        .filter(frame -> frame.hash().equals(of.hash()))
        .toList();
  }

  /** Records before this one may be gone. */
  long floor() {
    return floor;
  }

  /** The hash of a record that is decided, or null when that is not known any more. */
  @Nullable String hashOf(long sequence) {
    if (sequence == last) {
      return lastHash;
    }
    Frame frame = decided.get(sequence);
    return frame == null ? null : frame.hash();
  }

  /** A checkpoint covers decided records only; those before the second newest may be gone. */
  void cover(Cells cells) {
    Area oldest = cells.floor();
    if (oldest != null && oldest.sequence() > floor) {
      floor = oldest.sequence();
      frames.headMap(floor).clear();
      decided.headMap(floor).clear();
      uncertain.removeIf(frame -> frame.sequence() < floor);
    }
    if (oldest != null && oldest.sequence() > last) {
      jump(oldest);
    }
  }

  /** Goes on from a checkpoint when the records up to it are not there. */
  void jump(Area checkpoint) {
    last = checkpoint.sequence();
    lastHash = checkpoint.hash();
    keepCovered();
  }

  /**
   * Takes over all that is decided for certain.
   *
   * @return the frame after it that will be the next record unless a leader knows better; null when
   *     there is none
   */
  @Nullable Frame settle() {
    keepCovered();
    while (true) {
      Frame newest = newest(last + 1, lastHash);
      Frame after = newest(last + 2, null);
      if (newest == null || after == null) {
        return newest;
      }
      String named = after.previous();
      Frame next =
          frames.getOrDefault(last + 1, List.of()).stream()
              .filter(frame -> frame.hash().equals(named) && frame.previous().equals(lastHash))
              .findFirst()
              .orElse(null);
      if (next == null) {
        return null;
      }
      decide(next);
    }
  }

  /** All frames that may be the next record. */
  List<Frame> candidates() {
    return frames.getOrDefault(last + 1, List.of()).stream()
        .filter(frame -> frame.previous().equals(lastHash))
        .toList();
  }

  /** The frame of the record that a checkpoint names may be read later than the checkpoint. */
  private void keepCovered() {
    if (!decided.containsKey(last)) {
      frames.getOrDefault(last, List.of()).stream()
          .filter(frame -> frame.hash().equals(lastHash))
          .findFirst()
          .ifPresent(frame -> decided.put(last, frame));
    }
  }

  private @Nullable Frame newest(long sequence, @Nullable String previous) {
    return frames.getOrDefault(sequence, List.of()).stream()
        .filter(frame -> previous == null || frame.previous().equals(previous))
        .max(Comparator.comparingLong(Frame::ballot))
        .orElse(null);
  }

  /**
   * Whether there are frames that fit nowhere: something was read too early, or is damaged.
   *
   * @param next what {@link #settle} has returned
   */
  boolean hasGap(@Nullable Frame next) {
    return !frames.tailMap(next == null ? last : last + 1, false).isEmpty();
  }

  void decide(Frame frame) {
    if (frame.sequence() != last + 1) {
      throw new IllegalStateException(frame + " does not follow " + last);
    }
    add(frame);
    decided.put(frame.sequence(), frame);
    last = frame.sequence();
    lastHash = frame.hash();
    listener.decided(frame);
  }

  /** A write of this frame got no answer: the frame may be there, now or later. */
  void expect(Frame frame) {
    uncertain.add(frame);
  }

  /** The position of a slot's first frame that is still needed, or the other one if none is. */
  long oldestNeeded(int slot, long otherwise) {
    return frames.values().stream()
        .flatMap(List::stream)
        .filter(frame -> frame.slot() == slot)
        .mapToLong(Frame::position)
        .findFirst()
        .orElse(otherwise);
  }

  /**
   * Positions of a slot's frames that other hosts still need. Of several frames of a number, only
   * that of the highest ballot can count.
   */
  NavigableSet<Long> needed(int slot) {
    NavigableSet<Long> positions = new TreeSet<>();
    for (List<Frame> same : frames.values()) {
      same.stream()
          .filter(frame -> frame.slot() == slot)
          .max(Comparator.comparingLong(Frame::ballot))
          .ifPresent(frame -> positions.add(frame.position()));
    }
    uncertain.stream()
        .filter(frame -> frame.slot() == slot)
        .forEach(frame -> positions.add(frame.position()));
    return positions;
  }
}
