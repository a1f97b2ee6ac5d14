package io.quarry.agent.storage.block;

import io.quarry.coordinator.log.LogDamagedException;
import java.io.IOException;

/**
 * The part of the store that writes records. Disk Paxos with many decisions: a leader announces a
 * ballot in its own cell, reads what all hosts have written, and from then on writes frames to its
 * own ring. A frame is a record once it is written and no cell has a higher ballot afterwards.
 */
final class Leader {
  private final Machine machine;
  private final OwnCell own;
  private final OwnRing ring;

  /** 0 while this host does not lead. */
  private long ballot;

  /** The next record is missing, although later ones are there. */
  private boolean gap;

  /** No record was put since this host leads: the first one may use the reserve of the ring. */
  private boolean begins;

  /** Lets another leader finish. */
  @FunctionalInterface
  interface Pause {
    /**
     * @param turn how often this host has tried
     */
    void take(int turn) throws IOException;
  }

  Leader(Machine machine, OwnCell own) {
    this.machine = machine;
    this.own = own;
    this.ring = new OwnRing(own, machine.layout(), machine.records());
  }

  long ballot() {
    return ballot;
  }

  /** Another host has a higher ballot. */
  void resign() {
    ballot = 0;
  }

  OwnCell cell() {
    return own;
  }

  OwnRing ring() {
    return ring;
  }

  /**
   * Makes all decided records known, and this host the one that may write the next.
   *
   * @return false when another host may be leading: the caller waits, and tries again
   */
  boolean lead() throws IOException {
    ballot = 0;
    Cells before = machine.readOn(true);
    long mine = (before.highestBallot() / Layout.SLOTS + 1) * Layout.SLOTS + own.slot();
    ring.announce(mine);
    Cells after = machine.readOn(true);
    if (after.highestBallot() > mine) {
      return false;
    }
    Frame next = machine.settle(after);
    long known = next == null ? machine.records().last() : next.sequence();
    if (machine.records().hasGap(next) || isAcknowledged(known + 1)) {
      return mayTryAgain(mine, known);
    }
    byte[] record = next == null ? null : machine.record(next);
    if (next != null && record == null) {
      return mayTryAgain(mine, known - 1);
    }
    gap = false;
    if (next != null && record != null && !adopt(next, record, mine)) {
      return false;
    }
    ballot = mine;
    begins = true;
    return true;
  }

  /**
   * What was read at different moments does not fit together either. So only the second time, while
   * no other host leads, it is damage.
   *
   * @param last the last record that is there
   */
  private boolean mayTryAgain(long mine, long last) throws IOException {
    boolean alone = machine.cells().read().highestBallot() <= mine;
    if (alone && gap) {
      throw new LogDamagedException(
          machine.name(last + 1), "it is missing, though later records were committed");
    }
    gap = alone;
    return false;
  }

  /** A record that was acknowledged must not be replaced when it cannot be read. */
  private boolean isAcknowledged(long sequence) throws IOException {
    return machine.notes().read().stream().anyMatch(note -> note.sequence() >= sequence);
  }

  /** The newest frame may be a record, and then has to stay one: so it becomes one for sure. */
  private boolean adopt(Frame next, byte[] record, long mine) throws IOException {
    Frame adopted = write(next.sequence(), mine, record, next.hash(), false);
    if (machine.cells().read().highestBallot() > mine) {
      return false;
    }
    machine.records().decide(adopted);
    return true;
  }

  /**
   * Writes the record after the last one.
   *
   * @return whether the record is decided; otherwise another host leads, or has led
   */
  boolean put(byte[] record, String hash) throws IOException {
    long mine = ballot;
    // Whatever goes wrong from here on, a ballot has at most one frame of each number.
    ballot = 0;
    Frame frame;
    try {
      frame = write(machine.records().last() + 1, mine, record, hash, !begins);
    } catch (OwnRing.NoRoomException e) {
      ballot = mine;
      throw e;
    }
    if (machine.cells().read().highestBallot() > mine) {
      return false;
    }
    machine.records().decide(frame);
    ballot = mine;
    begins = false;
    return true;
  }

  private Frame write(long sequence, long mine, byte[] record, String hash, boolean spare)
      throws IOException {
    long at = place(Frame.bytes(record.length), mine, spare);
    String previous = machine.records().lastHash();
    Frame frame = new Frame(own.slot(), mine, sequence, at, record.length, hash, previous);
    try {
      machine
          .device()
          .write(machine.layout().ring(own.slot(), at), frame.encode(machine.key(), record));
    } catch (IOException e) {
      machine.records().expect(frame);
      throw e;
    }
    ring.written();
    machine.records().add(frame);
    return frame;
  }

  /**
   * Another host's checkpoint may have made room. A small record right after the newest checkpoint
   * may use the reserve: without that record there is no second checkpoint, which makes room.
   */
  private long place(long length, long mine, boolean spare) throws IOException {
    try {
      return ring.take(length, mine, spare);
    } catch (OwnRing.NoRoomException e) {
      Cells cells = machine.cells().read();
      machine.records().cover(cells);
      boolean urgent = OwnRing.isSmall(length) && cells.cover(machine.records().last());
      return ring.take(length, mine, spare && !urgent);
    }
  }
}
