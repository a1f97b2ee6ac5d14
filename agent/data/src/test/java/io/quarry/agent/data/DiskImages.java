package io.quarry.agent.data;

import io.quarry.agent.data.os.FileModes;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.qemu.Backing;
import io.quarry.agent.data.qemu.EmptyQcow2;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;

/** Disk images made for tests: seeded, with data, written zeros and holes of all sizes. */
public final class DiskImages {
  private static final int STEP = 512;

  private DiskImages() {}

  /** A qcow2 file without data, in the form that the agent makes. */
  public static void emptyQcow2(Path file, long size, Optional<Backing> backing)
      throws IOException {
    try (Folder folder = Folder.open(Objects.requireNonNull(file.toAbsolutePath().getParent()));
        NativeFile made = folder.createNew(String.valueOf(file.getFileName()), FileModes.VOLUME)) {
      EmptyQcow2.write(made, size, backing);
    }
  }

  /** A sparse file of this size; the same seed makes the same image. */
  public static Path random(Path path, long size, long seed) throws IOException {
    Random random = new Random(seed);
    try (FileChannel file =
        FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      long at = 0;
      while (at < size) {
        int length = (int) Math.min(size - at, (long) STEP << random.nextInt(13));
        byte[] bytes = new byte[length];
        switch (random.nextInt(4)) {
          case 0 -> {}
          case 1 -> writeAt(file, at, bytes);
          default -> {
            random.nextBytes(bytes);
            writeAt(file, at, bytes);
          }
        }
        at += length;
      }
      setSize(file, size);
    }
    return path;
  }

  /** Writes one byte value over a range of an existing or new file. */
  public static void fill(Path path, long offset, int length, int value) throws IOException {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    try (FileChannel file =
        FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      writeAt(file, offset, bytes);
    }
  }

  /** A file of this size without a single block. */
  public static Path hole(Path path, long size) throws IOException {
    try (FileChannel file =
        FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      setSize(file, size);
    }
    return path;
  }

  /** The space that the file takes on its disk, in bytes. */
  public static long allocatedBytes(Path path) throws IOException {
    Process stat =
        new ProcessBuilder("stat", "--format=%b", path.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String blocks =
        new String(stat.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    return Long.parseLong(blocks.strip()) * 512;
  }

  /** Whether both files have the same bytes and the same size. */
  public static boolean same(Path a, Path b) throws IOException {
    return Files.mismatch(a, b) == -1;
  }

  private static void setSize(FileChannel file, long size) throws IOException {
    if (file.size() < size) {
      // A hole up to the last byte, which is written only to set the size.
      writeAt(file, size - 1, new byte[1]);
    }
  }

  private static void writeAt(FileChannel file, long offset, byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      int n = file.write(buffer, offset + buffer.position());
      if (n < 0) {
        throw new IOException("short write");
      }
    }
  }
}
