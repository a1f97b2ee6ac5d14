package io.quarry.agent.check;

import io.quarry.agent.fix.UploadActivity;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.storage.WorkStore;
import io.quarry.common.api.CheckReport;
import io.quarry.common.api.Fix;
import io.quarry.common.api.Problem;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.RepositoryState;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Examines a repository and reports what fixes can do for the repository, and the problems that no
 * fix can solve. A check takes no lock. The check lists the files first, and judges the files by a
 * state that is newer than the listing.
 */
final class CheckRun {
  private final ConnectedRepository repository;
  private final Neighbours neighbours;

  CheckRun(ConnectedRepository repository, Neighbours neighbours) {
    this.repository = repository;
    this.neighbours = neighbours;
  }

  CheckReport run() throws IOException {
    StoredFiles files = StoredFiles.list(repository.storage());
    LogState state = repository.replica().refresh();
    RepositoryState now = state.repository();
    List<Fix> fixes = new ArrayList<>();
    OfferedFixes offered = new OfferedFixes(repository, now, neighbours);
    offered.recorded(fixes);
    offered.longChains(fixes);
    offered.leftOver(files, fixes);
    offered.stalePins(fixes);
    fixes.sort(Comparator.comparingInt(Fix::priority).thenComparing(Fix::reason));
    List<Problem> problems = new ArrayList<>();
    new MissingVolumes(repository, neighbours).find(now, problems);
    new ChangedVolumes(repository).find(now, problems);
    new ForeignWriterProblems(repository).find(now, problems);
    new ForbiddenVolumes(repository.storage().volumes()).find(now, problems);
    new DiskSizes(repository).find(now, problems);
    WaitingImages.find(now, problems);
    LongChains.find(now, problems);
    WorkStore store = repository.storage().work();
    new AbsentUsers(neighbours.opens(), open -> UploadActivity.last(store, open))
        .find(now, problems);
    neighbours.pins().lost(now, problems);
    files.foreign().forEach(file -> problems.add(foreign(file)));
    problems.sort(Comparator.comparing(Problem::kind).thenComparing(Problem::subject));
    return CheckReport.of(fixes, problems, null, state.sequence());
  }

  private static Problem foreign(String file) {
    return new Problem(
        Problem.Kind.FOREIGN_FILE,
        null,
        file,
        "the file is where volumes are, but has not the name of one",
        "see what it is; Quarry removes only what it has made itself");
  }
}
