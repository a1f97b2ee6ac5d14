package io.quarry.agent.cli;

import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.RepositoryInfo;
import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;

/** Makes an empty storage into a repository, and connects it. */
@Command(
    name = "create",
    description = {
      "Makes an empty storage into a repository, and connects it.",
      "Storage that is a repository already is connected as it is."
    },
    footer = {
      "",
      "Example:",
      "  quarry repo create main --format localfs-1.0 --param path=/srv/main --on all"
    })
final class RepoCreate extends RepoConnecting {
  /**
   * Only the first host creates the repository. Another host that finds an empty storage has
   * another mount.
   */
  @Override
  RepositoryInfo connect(StorageApi host, ConnectRequest plain, boolean first) {
    return first ? host.createStorageRepository(plain) : host.connectStorageRepository(plain);
  }
}
