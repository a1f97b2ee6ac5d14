package io.quarry.it.log;

import io.quarry.agent.storage.GenesisCodec;
import io.quarry.agent.storage.block.BlockConnection;
import io.quarry.agent.storage.block.BlockDevice;
import io.quarry.agent.storage.block.BlockSlotStore;
import io.quarry.agent.storage.block.FileBlockDevice;
import io.quarry.agent.storage.block.HostSlot;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;

/** The log on the shared disk, as each of its hosts opens it. */
public final class SharedLog {
  /** The rings are the smallest ones, so hosts write over them many times. */
  private static final long DISK_BYTES = 2L << 30;

  /** What two hosts use of the disk. A first write to a hole of a file would take longer. */
  private static final long FILLED_BYTES = 128L << 20;

  private static final String KEY = "0123456789abcdef0123456789abcdef";
  private static final String FORMAT = "clvm-1.2";
  private static final int SLOTS = 8;

  private SharedLog() {}

  /** Makes a file for a disk. */
  public static void makeDisk(Path file) throws IOException {
    try (RandomAccessFile made = new RandomAccessFile(file.toFile(), "rw")) {
      made.setLength(DISK_BYTES);
      byte[] zeros = new byte[1 << 20];
      for (long at = 0; at < FILLED_BYTES; at += zeros.length) {
        made.write(zeros);
      }
      made.getFD().sync();
    }
  }

  /** Opens the log on a device or file, at a host that does not remember its slot. */
  public static BlockSlotStore open(Path device, String host) throws IOException {
    return open(FileBlockDevice.open(device), KeptSlot.forgotten(host));
  }

  public static BlockSlotStore open(BlockDevice device, HostSlot host) throws IOException {
    return new BlockConnection(FORMAT, device, KEY, host)
        .create(GenesisCodec.fresh(FORMAT), SLOTS)
        .log();
  }
}
