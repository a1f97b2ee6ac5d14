package io.quarry.agent.storage.directory;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.FileModes;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.LogDamagedException;
import io.quarry.coordinator.log.PutNotStartedException;
import io.quarry.coordinator.log.SlotStore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Slots as files of a directory on any POSIX filesystem. A temporary file is written and forced,
 * linked to its name, and the directory is forced. A rename instead of the link would replace an
 * existing slot.
 */
public final class DirectorySlotStore implements SlotStore, AutoCloseable {
  /**
   * Far more than any record has. A longer file is no record, and must not fill the agent's memory.
   */
  static final int RECORD_BYTES_MAX = 2 * CommitLog.ENTRY_BYTES_MAX;

  private static final Logger LOG = LoggerFactory.getLogger(DirectorySlotStore.class);
  private static final String HEAD = "head";
  private static final int HEAD_DIGITS = 20;

  private final Folder root;
  private final Folder log;
  private final Folder temporary;
  private final Ballast ballast;
  private final String writer;
  private final AtomicLong counter = new AtomicLong();

  /**
   * @param root of the repository, with its directories {@code log} and {@code tmp} in place; the
   *     store closes the folder
   * @param writer unique among all processes that use the repository; becomes part of file names
   */
  public DirectorySlotStore(Folder root, String writer) throws IOException {
    this.root = root;
    this.log = root.folder("log");
    this.temporary = root.folder("tmp");
    this.ballast = new Ballast(root, temporary);
    this.writer = writer;
  }

  @Override
  public Put putIfAbsent(String name, Content content) throws IOException {
    String written = temporaryName(name);
    try {
      writeForced(written, content);
    } catch (IOException e) {
      discard(written);
      throw notStarted(e);
    }
    try {
      link(name, written);
      log.force();
      return Put.CREATED;
    } catch (FileFailure.Exists e) {
      return Put.EXISTS;
    } finally {
      discard(written);
    }
  }

  /**
   * A directory may have no room for another name: that is a definite answer, and no name was
   * linked.
   */
  private void link(String name, String written) throws IOException {
    try {
      log.link(name, temporary, written);
    } catch (FileFailure e) {
      throw e.kind() == FileFailure.Kind.NO_SPACE ? notStarted(e) : e;
    }
  }

  private static PutNotStartedException notStarted(IOException e) {
    return new PutNotStartedException(e, FileFailure.kindOf(e) == FileFailure.Kind.NO_SPACE);
  }

  @Override
  public byte @Nullable [] read(String name) throws IOException {
    try {
      return log.read(name, RECORD_BYTES_MAX);
    } catch (FileFailure e) {
      throw asDamage(name, e);
    }
  }

  @Override
  public @Nullable InputStream open(String name) throws IOException {
    try {
      return log.openRead(name).input();
    } catch (FileFailure.NotFound e) {
      return null;
    } catch (FileFailure e) {
      throw asDamage(name, e);
    }
  }

  @Override
  public byte @Nullable [] readStart(String name, int bytes) throws IOException {
    try {
      return log.readStart(name, bytes);
    } catch (FileFailure e) {
      throw asDamage(name, e);
    }
  }

  /** A file that no agent has written: a link, a FIFO, a file of any size. */
  private IOException asDamage(String name, FileFailure e) {
    if (e.kind() != FileFailure.Kind.REFUSED) {
      return e;
    }
    IOException damage = new LogDamagedException(describe(name), String.valueOf(e.getMessage()));
    damage.initCause(e);
    return damage;
  }

  @Override
  public List<String> list() throws IOException {
    return log.names();
  }

  @Override
  public void delete(List<String> names) throws IOException {
    for (String name : names) {
      log.remove(name);
    }
  }

  @Override
  public void force(List<String> names) throws IOException {
    for (String name : names) {
      try (NativeFile file = log.openRead(name)) {
        file.sync();
      } catch (FileFailure.NotFound e) {
        LOG.debug("{} is gone: a checkpoint covers it, and that one is durable", name);
      }
    }
    log.force();
  }

  /** The head is only a hint, so the file is not forced. */
  @Override
  public void writeHead(long sequence) throws IOException {
    String digits = Long.toString(sequence);
    String number = "0".repeat(HEAD_DIGITS - digits.length()) + digits;
    byte[] line = (number + " " + number + "\n").getBytes(StandardCharsets.US_ASCII);
    // Not kept open: on NFS other hosts see what was written only after the writer has closed the
    // file.
    try (NativeFile file = openHead()) {
      file.write(0, line);
    }
  }

  private NativeFile openHead() throws IOException {
    try {
      return log.openWrite(HEAD);
    } catch (FileFailure.NotFound e) {
      LOG.debug("{} has no head yet", log.path());
    }
    try {
      return log.createNew(HEAD, FileModes.METADATA);
    } catch (FileFailure.Exists e) {
      return log.openWrite(HEAD);
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
  public boolean releaseBallast(Reserve reserve) throws IOException {
    return ballast.release(reserve);
  }

  /** A write that must succeed on a full storage, too. */
  @FunctionalInterface
  interface Writing<T> {
    T write() throws IOException;
  }

  /** Takes what the storage lacks from the reserve; the SDM's host restores the reserve. */
  <T> T fromReserve(Writing<T> writing) throws IOException {
    while (true) {
      try {
        return writing.write();
      } catch (FileFailure e) {
        if (e.kind() != FileFailure.Kind.NO_SPACE || !releaseBallast(Reserve.ALL)) {
          throw e;
        }
      }
    }
  }

  @Override
  public boolean restoreBallast() throws IOException {
    return ballast.restore(temporaryName("ballast"));
  }

  @Override
  public String describe(String name) {
    return log.path(name).toString();
  }

  @Override
  public void close() {
    log.close();
    temporary.close();
    root.close();
  }

  private String temporaryName(String of) {
    return writer + "." + counter.incrementAndGet() + "." + of;
  }

  private void writeForced(String name, Content content) throws IOException {
    try (NativeFile file = temporary.createNew(name, FileModes.METADATA)) {
      content.writeTo(file.output());
      file.sync();
    }
  }

  /** No reader uses temporary names, and a sweep removes one that stays. */
  private void discard(String name) {
    try {
      temporary.remove(name);
    } catch (IOException e) {
      LOG.debug("could not remove {}: {}", temporary.path(name), e.toString());
    }
  }
}
