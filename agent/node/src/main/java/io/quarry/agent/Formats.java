package io.quarry.agent;

import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.storage.RepositoryFormats;
import io.quarry.agent.storage.clvm.ClvmFormat;
import io.quarry.agent.storage.directory.LocalfsFormat;
import io.quarry.agent.storage.nfs.NfsFormat;
import io.quarry.common.api.ConnectRequest;
import java.nio.file.Path;
import java.util.List;

/** The repository formats of this version. */
final class Formats {
  private Formats() {}

  /**
   * @param stateDirectory the formats keep their mount points there
   * @param hostKey distinguishes this host from all others
   * @param spawner starts the processes of formats
   */
  static RepositoryFormats of(Path stateDirectory, String hostKey, Spawner spawner) {
    return new RepositoryFormats(
        List.of(
            new LocalfsFormat(),
            new NfsFormat(stateDirectory.resolve("mnt"), hostKey, spawner),
            new ClvmFormat(stateDirectory, hostKey.replace("-", ""), spawner)));
  }

  /** Checks a connection's parameters without touching a storage. */
  static void check(ConnectRequest repository) {
    of(Path.of("/"), "", new Spawner())
        .find(repository.repoFormat())
        .checkParameters(repository.connectionParameters());
  }
}
