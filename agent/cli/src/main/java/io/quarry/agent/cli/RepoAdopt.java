package io.quarry.agent.cli;

import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.ConnectRequest.Adopt;
import io.quarry.common.api.RepositoryInfo;
import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Connects a storage that agents refuse because it is not the one that its SDM writes to. */
@Command(
    name = "adopt",
    description = {
      "Connects a storage that is not the one its SDM writes to.",
      "A copy becomes a repository of its own, with a key of its own.",
      "With --restored, a storage from a backup takes the place of the newer one: disconnect the"
          + " newer one on all hosts first, and adopt the restored one on all of them."
    },
    footer = {
      "",
      "Example:",
      "  quarry repo adopt copy --format localfs-1.0 --param path=/srv/copy-of-main"
    })
final class RepoAdopt extends RepoConnecting {
  @Option(names = "--restored", description = "The storage was restored from a backup.")
  private boolean restored;

  /** A copy gets its key only once; each host has to accept a restored storage. */
  @Override
  RepositoryInfo connect(StorageApi host, ConnectRequest plain, boolean first) {
    Adopt adopt = restored ? Adopt.RESTORED : first ? Adopt.COPY : null;
    return host.connectStorageRepository(
        new ConnectRequest(
            plain.repoId(),
            plain.repoFormat(),
            plain.connectionParameters(),
            adopt,
            plain.persistent()));
  }
}
