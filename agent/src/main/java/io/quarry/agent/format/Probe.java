package io.quarry.agent.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * Tries on the real storage what safety rests on: a forced write, a link that refuses a taken name,
 * a rename, a lock, the forcing of a directory. It leaves nothing behind.
 */
final class Probe {
  private Probe() {}

  /**
   * @param directory on the storage; temporary names are made in it
   * @throws IOException which says what the storage cannot do
   */
  static void run(Path directory) throws IOException {
    String name = "probe." + UUID.randomUUID();
    Path first = directory.resolve(name + ".1");
    Path second = directory.resolve(name + ".2");
    Path link = directory.resolve(name + ".link");
    try {
      writeAndLock(first);
      writeAndLock(second);
      exclusiveLink(first, second, link);
      rename(second, first);
      try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
        channel.force(true);
      }
    } finally {
      Files.deleteIfExists(first);
      Files.deleteIfExists(second);
      Files.deleteIfExists(link);
    }
  }

  private static void writeAndLock(Path file) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[512]));
      channel.force(true);
      try (FileLock lock = channel.tryLock()) {
        if (lock == null) {
          throw new IOException("a fresh file cannot be locked");
        }
      }
    }
  }

  private static void exclusiveLink(Path first, Path second, Path link) throws IOException {
    try {
      Files.createLink(link, first);
    } catch (UnsupportedOperationException e) {
      throw new IOException("the filesystem has no hard links", e);
    }
    try {
      Files.createLink(link, second);
    } catch (FileAlreadyExistsException expected) {
      return;
    }
    throw new IOException("a hard link replaced a name that was taken");
  }

  private static void rename(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    if (Files.exists(from) || Files.size(to) != 512) {
      throw new IOException("a rename did not do what it should");
    }
  }
}
