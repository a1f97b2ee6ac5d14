package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.Layout;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.Open.Layers;
import io.quarry.coordinator.plan.Open.Upload;
import io.quarry.coordinator.plan.Open.User;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.Origin;
import io.quarry.coordinator.plan.Volume.Stage;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Orphaned files are removed, so a file that may still count must not be taken for one. */
final class OrphanFilesTest {
  private final RepositoryState state =
      RepositoryState.EMPTY
          .apply(new Change.PutVolume(volume("whole", Stage.READY, "whole.2.raw")))
          .apply(new Change.PutVolume(volume("begun", Stage.INTENDED, null)))
          .apply(new Change.PutVolume(volume("going", Stage.TOMBSTONED, "going.1.raw")))
          .apply(
              new Change.PutOpen(
                  new Open(
                      "upload",
                      "one",
                      new User("h1", null, null, null),
                      false,
                      new Layers(List.of(), null),
                      new Upload("filled", null),
                      Instant.EPOCH)));

  @Test
  void filesOfOtherEpochsAreLeftOverOnceTheVolumeIsWhole() {
    assertThat(orphan("whole.1.raw")).isTrue();
    assertThat(orphan("whole.1.upload")).isTrue();
    assertThat(orphan("filled.1.upload")).isFalse();
    assertThat(orphan("whole.2.raw")).isFalse();
    assertThat(orphan("begun.1.raw")).isFalse();
    assertThat(orphan("going.1.raw")).isFalse();
    assertThat(orphan("filled.1.raw")).isFalse();
    assertThat(orphan("unknown.1.raw")).isTrue();
    assertThat(orphan("notes.txt")).isFalse();
  }

  @Test
  void claimsAndCheckpointsAreLeftOverOnceTheVolumeIsWholeOrGone() {
    assertThat(orphan(OrphanFiles.ofFix("mend-whole"))).isTrue();
    assertThat(orphan(OrphanFiles.ofFix("mend-unknown"))).isTrue();
    assertThat(orphan(OrphanFiles.ofFix("mend-begun"))).isFalse();
    assertThat(orphan(OrphanFiles.ofFix("mend-going"))).isFalse();
    assertThat(orphan(OrphanFiles.ofFix("optimize-filled"))).isFalse();
    assertThat(orphan(OrphanFiles.ofFix("../volumes"))).isFalse();
  }

  private boolean orphan(String file) {
    return OrphanFiles.isOrphan(file, state);
  }

  private static Volume volume(
      String id, Stage stage, @org.jspecify.annotations.Nullable String file) {
    return new Volume(
        id, "one", Layout.SPARSE_FILES.over(512, null), Origin.NONE, stage, file, null, null);
  }
}
