package io.quarry.it.failover;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;

/**
 * A raw image with data, written zeros, and holes in each stretch.
 *
 * @param stretches each as long as a window of a copy, so that each makes a checkpoint
 */
record SourceImage(int stretches) {
  static final long STRETCH_BYTES = 128L << 20;
  static final long STRETCH_DATA_BYTES = 24L << 20;
  private static final long STRETCH_ZEROS_BYTES = 4L << 20;
  private static final int PIECE_BYTES = 4 << 20;

  /** Not a multiple of a copy's pieces, so that gaps begin at various places of a piece. */
  private static final long GAP_BYTES = (9L << 20) + 4096;

  private static final long SEED = 20;

  long size() {
    return stretches * STRETCH_BYTES;
  }

  long dataBytes() {
    return stretches * STRETCH_DATA_BYTES;
  }

  /** Writes into a file that is all holes. */
  void writeInto(Path file) throws IOException {
    SplittableRandom random = new SplittableRandom(SEED);
    byte[] data = new byte[PIECE_BYTES];
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      for (int stretch = 0; stretch < stretches; stretch++) {
        long at = stretch * STRETCH_BYTES;
        for (long written = 0; written < STRETCH_DATA_BYTES; written += PIECE_BYTES) {
          random.nextBytes(data);
          write(channel, at, data);
          at += PIECE_BYTES + GAP_BYTES;
        }
        write(channel, at, new byte[(int) STRETCH_ZEROS_BYTES]);
      }
      channel.force(true);
    }
  }

  private static void write(FileChannel channel, long at, byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      channel.write(buffer, at + buffer.position());
    }
  }
}
