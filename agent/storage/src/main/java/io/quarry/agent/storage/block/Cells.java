package io.quarry.agent.storage.block;

import io.quarry.agent.storage.block.Cell.Area;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The cells of all slots as one read has found them.
 *
 * @param bySlot null where no host has the slot
 */
record Cells(List<@Nullable Cell> bySlot) {
  /** A checkpoint and the slot whose host has written it. */
  record Named(int slot, Area area) {}

  Stream<Cell> all() {
    return bySlot.stream().filter(Objects::nonNull).map(Objects::requireNonNull);
  }

  @Nullable Cell of(int slot) {
    return bySlot.get(slot);
  }

  long highestBallot() {
    return all().mapToLong(Cell::ballot).max().orElse(0);
  }

  /** All checkpoints, the newest first. */
  List<Named> checkpoints() {
    return all()
        .flatMap(cell -> cell.checkpoints().stream().map(area -> new Named(cell.slot(), area)))
        .sorted(Comparator.comparingLong((Named each) -> -each.area().sequence()))
        .toList();
  }

  /** The second newest checkpoint: earlier records may be gone. Null when there are less. */
  @Nullable Area floor() {
    List<Named> all = checkpoints();
    return all.stream()
        .map(Named::area)
        .filter(each -> each.sequence() < all.getFirst().area().sequence())
        .findFirst()
        .orElse(null);
  }

  /** Whether a checkpoint covers the record. */
  boolean cover(long sequence) {
    return checkpoints().stream().anyMatch(each -> each.area().sequence() >= sequence);
  }

  /** Whether frames and checkpoints are where they were in an earlier read. */
  boolean samePlaces(Cells earlier) {
    return places().equals(earlier.places());
  }

  private List<Object> places() {
    return all()
        .<Object>map(
            cell -> List.of(cell.slot(), cell.reach(), cell.segments(), cell.checkpoints()))
        .toList();
  }
}
