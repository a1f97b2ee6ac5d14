package io.quarry.it.bench;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.Random;

/** A raw image with data, written zeros and holes, in the proportions of a used disk. */
final class BenchImage {
  private static final int BLOCK = 4 << 20;

  private BenchImage() {}

  /** 45 % data, 12 % written zeros, the rest holes. */
  static void write(Path file, long size) throws IOException {
    Random random = new Random(42);
    byte[] data = new byte[BLOCK];
    byte[] zeros = new byte[BLOCK];
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.setLength(size);
      for (long at = 0; at < size; at += BLOCK) {
        double kind = random.nextDouble();
        if (kind < 0.57) {
          out.seek(at);
          if (kind < 0.45) {
            random.nextBytes(data);
            out.write(data);
          } else {
            out.write(zeros);
          }
        }
      }
      out.getFD().sync();
    }
  }
}
