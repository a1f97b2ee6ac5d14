package io.quarry.it.vm;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;

/** Files without data, for disks. */
final class Sparse {
  private Sparse() {}

  static void make(Path file, long bytes) throws IOException {
    try (RandomAccessFile made = new RandomAccessFile(file.toFile(), "rw")) {
      made.setLength(bytes);
    }
  }
}
