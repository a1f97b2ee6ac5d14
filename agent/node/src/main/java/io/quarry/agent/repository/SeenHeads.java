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
 * What this host has seen of each repository's log, kept in its state directory: a storage that is
 * behind or beside that is another one, or an older copy. Not forced: an older note is only less
 * suspicious.
 */
public final class SeenHeads {
  private static final Logger LOG = LoggerFactory.getLogger(SeenHeads.class);

  private final Path directory;

  /**
   * @param directory made when it is needed
   */
  public SeenHeads(Path directory) {
    this.directory = directory;
  }

  /** The newest place seen; the start when nothing is known. */
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
