package io.quarry.coordinator.log;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Slots as files of a directory on any POSIX filesystem: a temporary file is written and forced,
 * linked to its name (link, never rename: a rename would replace), and the directory is forced.
 */
public final class DirectorySlotStore implements SlotStore, AutoCloseable {
  /** Enough for hundreds of removal records, at a block or two each. */
  public static final int BALLAST_BYTES = 4 << 20;

  /** Freed at a time: whatever else writes to a full storage takes what is free. */
  static final int BALLAST_PIECE_BYTES = 64 << 10;

  /** What is read into memory as a whole, in bytes: twice what the largest request may take. */
  static final int RECORD_BYTES_MAX = 2 * CommitLog.ENTRY_BYTES_MAX;

  /** The ballast is not restored from the last of the space. */
  private static final long RESTORE_FREE_BYTES_MIN = 2L * BALLAST_BYTES;

  private static final Logger LOG = LoggerFactory.getLogger(DirectorySlotStore.class);
  private static final String HEAD = "head";
  private static final int HEAD_DIGITS = 20;

  private final Path log;
  private final Path temporary;
  private final Path ballast;
  private final String writer;
  private final AtomicLong counter = new AtomicLong();
  private FileChannel directory;
  private @Nullable FileChannel head;
  private final Object headLock = new Object();
  private boolean closed;

  /**
   * @param root of the repository, with its directories {@code log} and {@code tmp} in place
   * @param writer unique among all processes that use the repository; becomes part of file names
   */
  public DirectorySlotStore(Path root, String writer) throws IOException {
    this.log = root.resolve("log");
    this.temporary = root.resolve("tmp");
    this.ballast = root.resolve("ballast");
    this.writer = writer;
    this.directory = openDirectory();
  }

  private FileChannel openDirectory() throws IOException {
    return FileChannel.open(log, StandardOpenOption.READ);
  }

  /** An interrupt closes a channel for good; one interrupted thread must not end all commits. */
  private void forceDirectory() throws IOException {
    FileChannel channel;
    synchronized (this) {
      if (!directory.isOpen() && !closed) {
        directory = openDirectory();
      }
      channel = directory;
    }
    channel.force(true);
  }

  @Override
  public Put putIfAbsent(String name, Content content) throws IOException {
    Path written = temporary.resolve(writer + "." + counter.incrementAndGet() + "." + name);
    try {
      writeForced(written, content);
    } catch (IOException e) {
      discard(written);
      throw new PutNotStartedException(e);
    }
    try {
      link(name, written);
      forceDirectory();
      return Put.CREATED;
    } catch (FileAlreadyExistsException e) {
      return Put.EXISTS;
    } finally {
      discard(written);
    }
  }

  /** A directory may have no room for another name: that is an answer, and nothing was linked. */
  private void link(String name, Path written) throws IOException {
    try {
      Files.createLink(log.resolve(name), written);
    } catch (FileAlreadyExistsException e) {
      throw e;
    } catch (IOException e) {
      PutNotStartedException refused = new PutNotStartedException(e);
      throw refused.noSpace() ? refused : e;
    }
  }

  @Override
  public byte @Nullable [] read(String name) throws IOException {
    try (InputStream in = Files.newInputStream(log.resolve(name))) {
      byte[] content = in.readNBytes(RECORD_BYTES_MAX + 1);
      if (content.length > RECORD_BYTES_MAX) {
        throw new LogDamagedException(
            describe(name), "it has more than " + RECORD_BYTES_MAX + " bytes, and no record has");
      }
      return content;
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  @Override
  public @Nullable InputStream open(String name) throws IOException {
    try {
      return Files.newInputStream(log.resolve(name));
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  @Override
  public byte @Nullable [] readStart(String name, int bytes) throws IOException {
    try (FileChannel channel = FileChannel.open(log.resolve(name), StandardOpenOption.READ)) {
      ByteBuffer buffer = ByteBuffer.allocate(bytes);
      while (buffer.hasRemaining() && channel.read(buffer) >= 0) {
        // Goes on until the buffer is full or the file ends.
      }
      byte[] start = new byte[buffer.position()];
      buffer.flip().get(start);
      return start;
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  @Override
  public List<String> list() throws IOException {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(log)) {
      for (Path entry : entries) {
        names.add(String.valueOf(entry.getFileName()));
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return names;
  }

  @Override
  public void delete(List<String> names) throws IOException {
    for (String name : names) {
      Files.deleteIfExists(log.resolve(name));
    }
  }

  @Override
  public void force(List<String> names) throws IOException {
    for (String name : names) {
      try (FileChannel channel = FileChannel.open(log.resolve(name), StandardOpenOption.READ)) {
        channel.force(true);
      } catch (NoSuchFileException e) {
        LOG.debug("{} is gone: a checkpoint covers it, and that one is durable", name);
      }
    }
    forceDirectory();
  }

  /** Only a hint: nobody but another writer of it waits for the storage here. */
  @Override
  public void writeHead(long sequence) throws IOException {
    String number = Names.padded(sequence, HEAD_DIGITS);
    byte[] line = (number + " " + number + "\n").getBytes(StandardCharsets.US_ASCII);
    synchronized (headLock) {
      FileChannel channel = head;
      if (channel == null || !channel.isOpen()) {
        channel =
            FileChannel.open(
                log.resolve(HEAD), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        head = channel;
      }
      channel.write(ByteBuffer.wrap(line), 0);
    }
  }

  @Override
  public OptionalLong readHead() throws IOException {
    byte[] bytes = readStart(HEAD, 2 * HEAD_DIGITS + 3);
    if (bytes == null || bytes.length != 2 * HEAD_DIGITS + 2) {
      return OptionalLong.empty();
    }
    String line = new String(bytes, StandardCharsets.US_ASCII);
    String first = line.substring(0, HEAD_DIGITS);
    boolean whole = first.equals(line.substring(HEAD_DIGITS + 1, 2 * HEAD_DIGITS + 1));
    try {
      return whole ? OptionalLong.of(Long.parseLong(first)) : OptionalLong.empty();
    } catch (NumberFormatException e) {
      return OptionalLong.empty();
    }
  }

  @Override
  public boolean releaseBallast() throws IOException {
    try (FileChannel channel = FileChannel.open(ballast, StandardOpenOption.WRITE)) {
      long left = channel.size() - BALLAST_PIECE_BYTES;
      if (left > 0) {
        channel.truncate(left);
        return true;
      }
    } catch (NoSuchFileException e) {
      return false;
    }
    return Files.deleteIfExists(ballast);
  }

  @Override
  public boolean restoreBallast() throws IOException {
    if (Files.exists(ballast) && Files.size(ballast) == BALLAST_BYTES) {
      return true;
    }
    if (Files.getFileStore(log).getUsableSpace() < RESTORE_FREE_BYTES_MIN) {
      return false;
    }
    Path written = temporary.resolve(writer + "." + counter.incrementAndGet() + ".ballast");
    try {
      // Noise: a filesystem that compresses keeps no space for zeros.
      byte[] bytes = new byte[BALLAST_BYTES];
      new SplittableRandom(BALLAST_BYTES).nextBytes(bytes);
      writeForced(written, out -> out.write(bytes));
      Files.move(written, ballast, StandardCopyOption.REPLACE_EXISTING);
      return true;
    } finally {
      discard(written);
    }
  }

  @Override
  public String describe(String name) {
    return log.resolve(name).toString();
  }

  @Override
  public void close() throws IOException {
    synchronized (this) {
      closed = true;
      directory.close();
    }
    synchronized (headLock) {
      if (head != null) {
        head.close();
      }
    }
  }

  private static void writeForced(Path file, Content content) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      content.writeTo(Channels.newOutputStream(channel));
      channel.force(true);
    }
  }

  /** Temporary names mean nothing to anybody: one that stays is swept later. */
  private static void discard(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      LOG.debug("could not remove {}: {}", file, e.toString());
    }
  }
}
