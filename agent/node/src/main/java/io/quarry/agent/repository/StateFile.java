package io.quarry.agent.repository;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.type.TypeReference;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A file of the agent's state directory. Callers rely on its content after a restart. So the file
 * is replaced as a whole, and its content survives a power cut.
 */
public final class StateFile {
  private static final Set<StandardOpenOption> NEW =
      Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);

  private final Path file;
  private final FileAttribute<?>[] attributes;

  /**
   * @param attributes that the file has before anything is written to it
   */
  public StateFile(Path file, FileAttribute<?>... attributes) {
    this.file = file;
    this.attributes = attributes.clone();
  }

  /** The file has content that no agent has written; starting the agent again would not help. */
  public static final class DamagedException extends IOException {
    private static final long serialVersionUID = 1L;

    DamagedException(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * The content, or null when there is no file.
   *
   * @param remedy what to do about a file that no agent has written
   * @throws DamagedException when no agent has written the file
   */
  public <T> @Nullable T read(TypeReference<T> type, String remedy) throws IOException {
    byte[] found;
    try {
      found = Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      return null;
    }
    try {
      T content = Json.MAPPER.readValue(found, type);
      if (content != null) {
        return content;
      }
      throw damaged(remedy, null);
    } catch (JacksonException e) {
      throw damaged(remedy, e);
    }
  }

  /** The exception for content that no agent has written. */
  public DamagedException damaged(String remedy, @Nullable Throwable cause) {
    return new DamagedException(
        file + " is damaged: it does not hold what an agent writes there; " + remedy, cause);
  }

  /** Returns when the content is durable. */
  public void write(Object content) {
    keep(() -> replace(Json.MAPPER.writeValueAsBytes(content), true));
  }

  /** The same, for a content that is no JSON. */
  public void writeText(String content) {
    keep(() -> replace(content.getBytes(StandardCharsets.UTF_8), true));
  }

  /** After a power cut the file may be an earlier one, or damaged. */
  void writeUnforced(Object content) {
    keep(() -> replace(Json.MAPPER.writeValueAsBytes(content), false));
  }

  /** Returns when the file is gone for good. */
  void delete() {
    keep(() -> {
      Files.deleteIfExists(file);
      forceDirectory();
    });
  }

  private void replace(byte[] content, boolean forced) throws IOException {
    Path written = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(written);
    try (FileChannel channel = FileChannel.open(written, NEW, attributes)) {
      ByteBuffer bytes = ByteBuffer.wrap(content);
      while (bytes.hasRemaining()) {
        var _ = channel.write(bytes);
      }
      if (forced) {
        channel.force(true);
      }
    }
    Files.move(written, file, StandardCopyOption.ATOMIC_MOVE);
    if (forced) {
      forceDirectory();
    }
  }

  private void forceDirectory() throws IOException {
    try (FileChannel directory = FileChannel.open(directory())) {
      directory.force(true);
    }
  }

  private Path directory() {
    return Objects.requireNonNull(file.toAbsolutePath().getParent());
  }

  private interface Change {
    void make() throws IOException;
  }

  private void keep(Change change) {
    try {
      change.make();
    } catch (IOException e) {
      throw new StorageException(
          ErrorCode.INTERNAL,
          "the agent cannot keep this in its state directory: " + e,
          file.toString(),
          "let the agent's user write to "
              + directory()
              + ", see that it is not full, and call again",
          e);
    }
  }
}
