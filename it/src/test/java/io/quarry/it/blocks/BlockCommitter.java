package io.quarry.it.blocks;

import io.quarry.agent.storage.block.BlockDevice;
import io.quarry.agent.storage.block.BlockSlotStore;
import io.quarry.agent.storage.block.FileBlockDevice;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.it.blocks.FlawedDevice.Flaw;
import io.quarry.it.log.Committer;
import io.quarry.it.log.Committer.Turns;
import io.quarry.it.log.KeptSlot;
import io.quarry.it.log.SharedLog;
import io.quarry.it.vm.SharedDisk;
import java.nio.file.Path;
import java.time.Duration;

/** A {@link Committer} to the log on the shared disk, until it is killed. */
final class BlockCommitter {
  /** Long turns: an SDM is mostly deposed while it leads. */
  private static final Turns TURNS =
      new Turns(20, 400, Duration.ofMillis(300), Duration.ofSeconds(1));

  private BlockCommitter() {}

  /**
   * Arguments: the host's name, the number of its life, where the host keeps its slot, the flaw.
   */
  public static void main(String[] args) throws Exception {
    BlockDevice device =
        new FlawedDevice(FileBlockDevice.open(Path.of(SharedDisk.DEVICE)), Flaw.valueOf(args[3]));
    KeptSlot slot = new KeptSlot(args[0], Path.of(args[2]));
    try (BlockSlotStore store = SharedLog.open(device, slot)) {
      CommitLog.create(store);
      new Committer(store, args[0] + args[1], TURNS).commit(Integer.MAX_VALUE);
    }
  }
}
