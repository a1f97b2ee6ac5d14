package io.quarry.it.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The steps that no commit can avoid: write and force a file, link it, force the directory. */
public final class BarePrimitive {
  private static final int RECORD_BYTES = 1_200;

  private BarePrimitive() {}

  public static Samples run(Path directory, int times) throws IOException {
    Files.createDirectories(directory.resolve("tmp"));
    Files.createDirectories(directory.resolve("log"));
    long[] nanos = new long[times];
    try (FileChannel log = FileChannel.open(directory.resolve("log"), StandardOpenOption.READ)) {
      for (int i = 0; i < times; i++) {
        Path written = directory.resolve("tmp").resolve("t" + i);
        long start = System.nanoTime();
        try (FileChannel file =
            FileChannel.open(written, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
          file.write(ByteBuffer.allocate(RECORD_BYTES));
          file.force(true);
        }
        Files.createLink(directory.resolve("log").resolve("s" + i), written);
        log.force(true);
        nanos[i] = System.nanoTime() - start;
        Files.delete(written);
      }
    }
    return Samples.of(nanos);
  }
}
