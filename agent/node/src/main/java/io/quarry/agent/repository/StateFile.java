package io.quarry.agent.repository;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.type.TypeReference;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A file of the agent's state directory. Callers rely on its content after a restart. So the file
 * is replaced as a whole, and its content survives a power cut.
 */
public final class StateFile {
  private final Path file;

  public StateFile(Path file) {
    this.file = file;
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
    Path directory = Objects.requireNonNull(file.toAbsolutePath().getParent());
    Path written = file.resolveSibling(file.getFileName() + ".new");
    try {
      Files.write(written, Json.MAPPER.writeValueAsBytes(content));
      try (FileChannel channel = FileChannel.open(written, StandardOpenOption.READ)) {
        channel.force(true);
      }
      Files.move(written, file, StandardCopyOption.ATOMIC_MOVE);
      try (FileChannel parent = FileChannel.open(directory)) {
        parent.force(true);
      }
    } catch (IOException e) {
      throw new StorageException(
          ErrorCode.INTERNAL,
          "the agent cannot keep this in its state directory: " + e,
          file.toString(),
          "let the agent's user write to "
              + directory
              + ", see that it is not full, and call again",
          e);
    }
  }
}
