package io.quarry.agent.repository;

import com.fasterxml.jackson.core.type.TypeReference;
import io.quarry.coordinator.log.Position;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The newest place that this host has seen in each repository's log, kept in the host's state
 * directory. A storage that is behind or beside that place is another storage, or an older copy.
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
    try {
      Position seen =
          file(repositoryKey).read(new TypeReference<>() {}, "the next commit replaces the note");
      return seen == null ? Position.START : seen;
    } catch (IOException e) {
      LOG.warn("What this host has seen of {} is not known: {}", repositoryKey, e.toString());
      return Position.START;
    }
  }

  /** The note is not forced: an earlier note detects less, and a new one follows each second. */
  void note(String repositoryKey, Position seen) throws IOException {
    Files.createDirectories(directory);
    file(repositoryKey).writeUnforced(seen);
  }

  /** Follows an operator's word, durably: a power cut must not bring an earlier note back. */
  void believe(String repositoryKey, Position restored) throws IOException {
    Files.createDirectories(directory);
    file(repositoryKey).write(restored);
  }

  private StateFile file(String repositoryKey) {
    return new StateFile(directory.resolve(repositoryKey + ".json"));
  }
}
