package io.quarry.agent.storage.block;

import io.quarry.coordinator.log.LogDamagedException;
import io.quarry.coordinator.log.Names;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Decides among all hosts what a device holds: a log of its own with one record, the genesis
 * record. The checkpoint of that log is a second copy of the record, and says that the repository's
 * log was begun.
 */
final class GenesisLog {
  /** The hosts that can make a repository on one device at once. */
  static final int SLOTS = 8;

  private static final String RECORD = Names.record(1);
  private static final String BEGUN = Names.checkpoint(1);

  private final BlockSlotStore log;

  GenesisLog(BlockDevice device, Key key, HostSlot host, Leader.Pause pause) {
    this.log = new BlockSlotStore(device, Layout.GENESIS, key, host, SLOTS, pause, frame -> {});
  }

  /** Null when the device holds no repository. */
  byte @Nullable [] read() throws IOException {
    byte[] record;
    try {
      record = log.read(RECORD);
    } catch (LogDamagedException e) {
      record = log.read(BEGUN);
      if (record == null) {
        throw e;
      }
    }
    return record == null ? log.read(BEGUN) : record;
  }

  /** The record that counts: this one, or the one of a host that was faster. */
  byte[] decide(byte[] proposed) throws IOException {
    log.putIfAbsent(RECORD, proposed);
    byte[] decided = read();
    if (decided == null) {
      throw new LogDamagedException(log.describe(RECORD), "it is gone as soon as it was made");
    }
    return decided;
  }

  /** Whether the repository's log was begun: an empty one is damage from then on. */
  boolean isBegun() throws IOException {
    return log.list().contains(BEGUN);
  }

  void begin(byte[] genesis) throws IOException {
    log.putIfAbsent(BEGUN, out -> out.write(genesis));
  }

  String describe() {
    return log.describe(RECORD);
  }
}
