package io.quarry.coordinator.sdm;

import io.quarry.coordinator.log.Checkpointer;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.SlotStore;
import io.quarry.coordinator.log.SlotStore.Reserve;
import java.io.IOException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides when a checkpoint is worth its cost, and writes it beside the commits, which immutable
 * states allow. The length of a replay and the cost of checkpoints per commit stay in proportion to
 * the checkpoint's size.
 */
final class CheckpointKeeper implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CheckpointKeeper.class);

  /**
   * Replaying a record costs at least a quarter of reading this many checkpoint bytes. So most of a
   * replay's time is for the checkpoint.
   */
  private static final long BYTES_PER_RECORD = 16_384;

  private static final long BYTES_PER_ENTRY = 2_048;
  private static final long ENTRIES_MIN = 20_000;

  /** How many records are worth a small checkpoint while a part of the ballast is missing. */
  private static final long FULL_RECORDS_MIN = 32;

  private final String name;
  private final SlotStore store;
  private final Checkpointer checkpointer;
  private final ExecutorService background;
  private final long recordsMin;
  private final AtomicBoolean busy = new AtomicBoolean();

  private final AtomicBoolean restoring = new AtomicBoolean();

  private volatile long checkpointBytes;

  /** The state at the last look; a connect or a canary of any host may take from the ballast. */
  private volatile boolean ballastWhole;

  private long records;
  private long entries;
  private long recordsSinceLook;

  /**
   * @param background runs one task at a time; closed with this keeper
   * @param recordsMin how many records are worth a small checkpoint
   */
  CheckpointKeeper(String name, SlotStore store, ExecutorService background, long recordsMin) {
    this.name = name;
    this.store = store;
    this.checkpointer = new Checkpointer(store);
    this.background = background;
    this.recordsMin = recordsMin;
  }

  /** A term begins: the records that earlier terms left to replay count. */
  void begin(LogState state) throws IOException {
    records = state.sequence() - checkpointer.covered();
    busy.set(true);
    // A store that is full refuses the next record, and so a checkpoint after that record.
    boolean wanted = store.wantsCheckpoint();
    background.execute(wanted ? () -> write(state) : () -> replaceUnsound(state));
    restoreBallast(true);
  }

  /** The SDM's thread calls this after each commit. */
  void committed(LogState state, int newEntries) {
    records++;
    entries += newEntries;
    // Checkpoints free records: a full storage needs that before the ballast is used up.
    long enough = ballastWhole ? recordsMin : Math.min(recordsMin, FULL_RECORDS_MIN);
    boolean due =
        records >= Math.max(enough, checkpointBytes / BYTES_PER_RECORD)
            || entries >= Math.max(ENTRIES_MIN, checkpointBytes / BYTES_PER_ENTRY)
            || store.wantsCheckpoint();
    if (due && busy.compareAndSet(false, true)) {
      records = 0;
      entries = 0;
      background.execute(() -> write(state));
    }
    recordsSinceLook++;
    restoreBallast(recordsSinceLook >= FULL_RECORDS_MIN);
  }

  /** Frees a part of the ballast; false when there is none. Restored later. */
  boolean releaseBallast(Reserve reserve) {
    ballastWhole = false;
    try {
      return store.releaseBallast(reserve);
    } catch (IOException e) {
      LOG.warn("Could not release the ballast of {}: {}", name, e.toString());
      return false;
    }
  }

  /**
   * Tried after each commit until the ballast is whole: a commit may have freed the space.
   *
   * @param look whether other hosts may have taken from the ballast
   */
  private void restoreBallast(boolean look) {
    if ((look || !ballastWhole) && restoring.compareAndSet(false, true)) {
      recordsSinceLook = 0;
      background.execute(this::tryToRestoreBallast);
    }
  }

  private void tryToRestoreBallast() {
    try {
      ballastWhole = store.restoreBallast();
    } catch (IOException | RuntimeException e) {
      LOG.warn("No ballast for removals on {}: {}", name, e.toString());
    } finally {
      restoring.set(false);
    }
  }

  /** Readers had to use the older checkpoint, the last sound one. */
  private void replaceUnsound(LogState state) {
    boolean sound = true;
    try {
      sound = checkpointer.sound();
    } catch (IOException | RuntimeException e) {
      LOG.warn("Could not read the checkpoint of {}: {}", name, e.toString());
    } catch (Error e) {
      busy.set(false);
      throw e;
    }
    if (sound) {
      busy.set(false);
    } else {
      LOG.warn("The newest checkpoint of {} is missing or damaged, writing another", name);
      write(state);
    }
  }

  private void write(LogState state) {
    try {
      checkpointBytes = checkpointer.checkpoint(state);
    } catch (IOException | RuntimeException e) {
      LOG.warn("Could not write a checkpoint of {}: {}", name, e.toString());
    } finally {
      busy.set(false);
    }
  }

  @Override
  public void close() {
    background.shutdown();
    try {
      if (!background.awaitTermination(10, TimeUnit.SECONDS)) {
        LOG.warn("A checkpoint of {} is still being written", name);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
