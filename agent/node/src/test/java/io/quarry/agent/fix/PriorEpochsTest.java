package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.storage.Checkpoint;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.agent.storage.WorkStore;
import io.quarry.agent.storage.directory.LocalfsFormat;
import io.quarry.coordinator.plan.FixState.Worker;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PriorEpochsTest {
  private static final String FIX = "mend-volume";
  private static final Worker OTHER = new Worker("other", "life");
  private static final Instant NOW = Instant.EPOCH;

  /** The checkpoint of the second epoch, which has let go. */
  private static final Checkpoint SECOND =
      Checkpoint.filling(OTHER, 2, 1, "volume.2.raw", 8, NOW).at(4, 4, NOW).letGo(null, NOW);

  @Test
  void absentWorkerDoesNotContinueTheFileOfALaterEpoch(@TempDir Path directory) throws Exception {
    try (RepositoryStorage storage = storage(directory)) {
      WorkStore store = storage.work();

      assertThat(new PriorEpochs(store, FIX, 1, worker -> true).allOver(SECOND)).isFalse();
      assertThat(new PriorEpochs(store, FIX, 3, worker -> false).allOver(SECOND)).isTrue();
    }
  }

  @Test
  void aClaimWithoutACheckpointHasToBeOverToo(@TempDir Path directory) throws Exception {
    try (RepositoryStorage storage = storage(directory)) {
      WorkStore store = storage.work();
      assertThat(store.claim(FIX, 3, OTHER, NOW)).isPresent();

      assertThat(new PriorEpochs(store, FIX, 4, worker -> false).allOver(SECOND)).isFalse();
      assertThat(new PriorEpochs(store, FIX, 4, OTHER::equals).allOver(SECOND)).isTrue();
    }
  }

  @Test
  void aToolThatDoesNotEndProvesNothing() {
    Worker self = new Worker("self", "life");
    LocalWriters own = new LocalWriters();
    PriorWriterProof proof = own.proof(FIX, self, OTHER::equals);
    assertThat(proof.dead(self)).isTrue();
    assertThat(proof.dead(OTHER)).isTrue();
    own.lose(FIX);
    assertThat(proof.dead(self)).isFalse();
    assertThat(own.proof("mend-another", self, OTHER::equals).dead(self)).isTrue();
  }

  private static RepositoryStorage storage(Path directory) throws Exception {
    Path root = Files.createDirectory(directory.resolve("repository"));
    return new LocalfsFormat().connect(Map.of("path", root.toString()), true, "writer");
  }
}
