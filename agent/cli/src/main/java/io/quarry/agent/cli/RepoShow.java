package io.quarry.agent.cli;

import io.quarry.common.api.RepositoryInfo;
import io.quarry.common.api.StorageApi;
import java.util.TreeMap;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Shows one repository. */
@Command(
    name = "show",
    description = "Shows one repository.",
    footer = {"", "Example:", "  quarry repo show main"})
final class RepoShow extends ApiCommand {
  @Parameters(paramLabel = "REPO", description = "A connected repository.")
  private String repo = "";

  @Override
  int run(StorageApi api, Output output) {
    RepositoryInfo repository = api.getStorageRepository(repo);
    output.print(repository, () -> facts(repository));
    return Exit.DONE;
  }

  private static Facts facts(RepositoryInfo repository) {
    Facts facts =
        new Facts().fact("repository", repository.repoId()).fact("format", repository.repoFormat());
    Long largest = repository.largestImageBytes();
    new TreeMap<>(repository.connectionParameters()).forEach(facts::fact);
    facts
        .fact("health", repository.health())
        .fact("because", repository.healthReason())
        .fact("SDM", repository.sdmHostId() == null ? "being elected" : repository.sdmHostId())
        .fact("size", Units.bytes(repository.capacityBytes()))
        .fact("free", Units.bytes(repository.freeBytes()))
        .fact("used", Units.bytes(repository.usedBytes()))
        .fact("largest image", largest == null ? null : Units.bytes(largest))
        .fact("frozen files", repository.frozenFiles())
        .fact("writers seen", repository.writersSeen());
    new TreeMap<>(repository.images()).forEach((state, count) -> facts.fact(state, count));
    facts.fact("fixes", repository.fixes()).fact("commit", repository.commit());
    return repository.dueFeatures().isEmpty()
        ? facts
        : facts.fact(
            "upgrade",
            String.join(", ", repository.dueFeatures())
                + ": run `quarry repo upgrade "
                + repository.repoId()
                + "` once all agents are of this version");
  }
}
