package io.quarry.it.bench;

import static java.nio.file.StandardOpenOption.DSYNC;
import static java.nio.file.StandardOpenOption.WRITE;

import io.quarry.agent.storage.block.BlockDevice;
import io.quarry.agent.storage.block.BlockSlotStore;
import io.quarry.agent.storage.block.FileBlockDevice;
import io.quarry.it.bench.CommitLatency.Steps;
import io.quarry.it.log.SharedLog;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The {@link CommitLatency} of a block device, next to single writes of a block, and to the
 * operations of a commit without the log.
 */
public final class BlockLatency {
  private static final int BLOCK = 4096;

  /** A part of the device that the log does not use. */
  private static final long UNUSED = 16L << 20;

  private static final int UNUSED_BLOCKS = 4096;
  private static final long CELLS = 1L << 20;
  private static final int CELLS_BYTES = 64 << 10;
  static final String BARE = "BARE";
  static final String OPERATIONS = "OPERATIONS";

  private BlockLatency() {}

  /** Prints the latency. Arguments: a device or file without a log, how many commits. */
  public static void main(String[] args) throws IOException {
    measure(Path.of(args[0]), Integer.parseInt(args[1])).print();
  }

  static CommitLatency measure(Path device, int times) throws IOException {
    try (BlockSlotStore store = SharedLog.open(device, "a");
        FileBlockDevice same = FileBlockDevice.open(device)) {
      Map<String, Steps> steps = new LinkedHashMap<>();
      steps.put(BARE, (round, count) -> bare(device, count));
      steps.put(OPERATIONS, (round, count) -> operations(same, count));
      return CommitLatency.measure(store, times, steps);
    }
  }

  /** Writes around the page cache that return when the block is durable. */
  private static Samples bare(Path device, int times) throws IOException {
    ByteBuffer block = ByteBuffer.allocateDirect(2 * BLOCK).alignedSlice(BLOCK);
    long[] nanos = new long[times];
    try (FileChannel channel = FileChannel.open(device, WRITE, DSYNC, direct())) {
      for (int i = 0; i < times; i++) {
        block.clear().limit(BLOCK);
        long start = System.nanoTime();
        channel.write(block, place(i));
        nanos[i] = System.nanoTime() - start;
      }
    }
    return Samples.of(nanos);
  }

  /** The compiler warns of the class, as the JDK need not have it. */
  private static OpenOption direct() throws IOException {
    try {
      Class<?> options = Class.forName("com.sun.nio.file.ExtendedOpenOption");
      return (OpenOption) options.getField("DIRECT").get(null);
    } catch (ReflectiveOperationException e) {
      throw new IOException("this JDK has no direct I/O", e);
    }
  }

  /** What a commit does with the device: a frame, a look at the cells, a head note. */
  private static Samples operations(BlockDevice device, int times) throws IOException {
    byte[] block = new byte[BLOCK];
    byte[] cells = new byte[CELLS_BYTES];
    long[] nanos = new long[times];
    for (int i = 0; i < times; i++) {
      long start = System.nanoTime();
      device.write(place(i), block);
      device.read(CELLS, cells);
      device.writeUnforced(UNUSED, block);
      nanos[i] = System.nanoTime() - start;
    }
    return Samples.of(nanos);
  }

  private static long place(int i) {
    return UNUSED + (1L + i % UNUSED_BLOCKS) * BLOCK;
  }
}
