package io.quarry.agent.cli;

import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.RepositoryInfo;
import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;

/** Connects an existing repository. */
@Command(
    name = "connect",
    description = "Connects a repository on the agent addressed, or on the hosts named.",
    footer = {
      "",
      "Example:",
      "  quarry repo connect main --format localfs-1.0 --param path=/srv/main --on all"
    })
final class RepoConnect extends RepoConnecting {
  @Override
  RepositoryInfo connect(StorageApi host, ConnectRequest plain, boolean first) {
    return host.connectStorageRepository(plain);
  }
}
