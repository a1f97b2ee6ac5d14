package io.quarry.agent.check;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.Problem;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * Finds processes of this host that write to volumes which no caller has opened for writing through
 * Quarry. This host does not see processes of other hosts.
 */
final class ForeignWriterProblems {
  private final ConnectedRepository repository;

  ForeignWriterProblems(ConnectedRepository repository) {
    this.repository = repository;
  }

  void find(RepositoryState state, List<Problem> found) throws IOException {
    for (Volume volume : state.volumes().values()) {
      Optional<String> writer = writer(volume, state);
      // The image may have been opened since the state was read.
      if (writer.isPresent()
          && writer(volume, repository.replica().refresh().repository()).isPresent()) {
        found.add(
            new Problem(
                Problem.Kind.FOREIGN_WRITER,
                volume.imageId(),
                String.valueOf(volume.file()),
                writer.get() + " writes to the file and has not opened the image through Quarry",
                "end that process; see whether the image still has the content that it should"));
      }
    }
  }

  private Optional<String> writer(Volume before, RepositoryState state) throws IOException {
    Volume volume = state.volumes().get(before.id());
    return volume == null
            || volume.stage() != Volume.Stage.READY
            || volume.file() == null
            || volume.writer() != null
            || (!volume.isFrozen(state) && state.writerOf(volume.imageId()) != null)
        ? Optional.empty()
        : repository.storage().volumes().writer(volume.file());
  }
}
