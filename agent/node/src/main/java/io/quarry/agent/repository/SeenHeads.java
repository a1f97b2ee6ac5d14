package io.quarry.agent.repository;

import com.fasterxml.jackson.core.JacksonException;
import io.quarry.common.api.Json;
import io.quarry.coordinator.log.Position;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The newest place that this host has seen in each repository's log, kept in the host's state
 * directory. A storage that is behind or beside that place is another storage, or an older copy.
 * The file is not forced, since an older note only detects less.
 */
public final class SeenHeads {
  private static final Logger LOG = LoggerFactory.getLogger(SeenHeads.class);

  private final Path directory;

  /**
   * @param directory made when needed
   */
  public SeenHeads(Path directory) {
    this.directory = directory;
  }

  /** The newest place seen; the start when none is known. */
  Position of(String repositoryKey) {
    Path file = file(repositoryKey);
    try {
      return Json.MAPPER.readValue(Files.readAllBytes(file), Position.class);
    } catch (NoSuchFileException e) {
      return Position.START;
    } catch (JacksonException e) {
      LOG.warn("{} was not written whole; what this host has seen is not known", file);
      return Position.START;
    } catch (IOException e) {
      LOG.warn("{} cannot be read; what this host has seen is not known: {}", file, e.toString());
      return Position.START;
    }
  }

  void note(String repositoryKey, Position seen) throws IOException {
    Files.createDirectories(directory);
    Path file = file(repositoryKey);
    Path written = file.resolveSibling(file.getFileName() + ".new");
    Files.write(written, Json.MAPPER.writeValueAsBytes(seen));
    Files.move(written, file, StandardCopyOption.REPLACE_EXISTING);
  }

  private Path file(String repositoryKey) {
    return directory.resolve(repositoryKey + ".json");
  }
}
