package io.quarry.agent.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.quarry.common.api.Json;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A file that is being downloaded: the bytes in {@code FILE.part}, sparse where they are zeros. A
 * note beside it names the image's state and the durable offset. The file gets its name when it is
 * whole.
 */
final class PartialFile implements Closeable {
  private static final int BLOCK_BYTES = 4096;

  /** So many bytes may have to be fetched again after an interruption. */
  private static final long NOTE_EVERY_BYTES = 64 << 20;

  private final Path file;
  private final Path part;
  private final Path notePath;
  private final FileChannel channel;
  private @Nullable Note note;
  private long unnoted;

  /**
   * The content of the file so far.
   *
   * @param etag the state of the image that the bytes belong to
   * @param offset up to which the bytes are durable
   */
  record Note(String image, String etag, long size, long offset) {}

  private PartialFile(Path file, Path part, Path notePath, FileChannel channel) {
    this.file = file;
    this.part = part;
    this.notePath = notePath;
    this.channel = channel;
  }

  /** Continues the file that an earlier download of the same image has left. */
  static PartialFile open(Path file, String image) throws IOException {
    Path part = file.resolveSibling(file.getFileName() + ".part");
    Path notePath = file.resolveSibling(file.getFileName() + ".part.json");
    FileChannel channel =
        FileChannel.open(
            part,
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            LinkOption.NOFOLLOW_LINKS);
    PartialFile partial = new PartialFile(file, part, notePath, channel);
    try {
      partial.lock();
      partial.note = partial.read(image);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
    return partial;
  }

  private void lock() throws IOException {
    FileLock lock;
    try {
      lock = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      lock = null;
    }
    if (lock == null) {
      throw new IOException(part + " is being written by another download");
    }
  }

  private @Nullable Note read(String image) throws IOException {
    if (!Files.exists(notePath)) {
      return null;
    }
    try {
      Note found = Json.MAPPER.readValue(Files.readAllBytes(notePath), Note.class);
      return found.image().equals(image) && found.size() == channel.size() ? found : null;
    } catch (JsonProcessingException e) {
      return null;
    }
  }

  /** The image's state that the bytes belong to; null when there are none. */
  @Nullable String etag() {
    return note == null ? null : note.etag();
  }

  long offset() {
    return note == null ? 0 : note.offset();
  }

  /** Discards the bytes and begins a new download. */
  void begin(String image, String etag, long size) throws IOException {
    channel.truncate(0);
    channel.write(ByteBuffer.allocate(1), size - 1);
    note(new Note(image, etag, size, 0));
  }

  void write(long offset, byte[] bytes, int length) throws IOException {
    int at = 0;
    while (at < length) {
      int end = Math.min(length, at + BLOCK_BYTES);
      if (isZero(bytes, at, end)) {
        at = end;
        continue;
      }
      while (end < length && !isZero(bytes, end, Math.min(length, end + BLOCK_BYTES))) {
        end = Math.min(length, end + BLOCK_BYTES);
      }
      ByteBuffer data = ByteBuffer.wrap(bytes, at, end - at);
      while (data.hasRemaining()) {
        channel.write(data, offset + data.position());
      }
      at = end;
    }
    unnoted += length;
  }

  private static boolean isZero(byte[] bytes, int from, int to) {
    return bytes[from] == 0 && Arrays.equals(bytes, from, to - 1, bytes, from + 1, to);
  }

  /** All bytes before the offset have been written. */
  void reached(long offset) throws IOException {
    if (note != null && unnoted >= NOTE_EVERY_BYTES) {
      channel.force(false);
      note(new Note(note.image(), note.etag(), note.size(), offset));
    }
  }

  private void note(Note newer) throws IOException {
    Path fresh = notePath.resolveSibling(notePath.getFileName() + ".new");
    Files.write(fresh, Json.MAPPER.writeValueAsBytes(newer));
    Files.move(
        fresh, notePath, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    note = newer;
    unnoted = 0;
  }

  /** Gives the whole file its name. */
  void finish() throws IOException {
    channel.force(true);
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    Files.deleteIfExists(notePath);
  }

  Path path() {
    return part;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
