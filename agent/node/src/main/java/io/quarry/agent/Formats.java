package io.quarry.agent;

import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.storage.RepositoryFormats;
import io.quarry.agent.storage.directory.LocalfsFormat;
import java.nio.file.Path;
import java.util.List;

/** The repository formats of this version. */
final class Formats {
  private Formats() {}

  /**
   * @param stateDirectory the formats may keep mount points in this directory
   * @param spawner starts the processes of formats
   */
  static RepositoryFormats of(Path stateDirectory, Spawner spawner) {
    return new RepositoryFormats(List.of(new LocalfsFormat()));
  }
}
