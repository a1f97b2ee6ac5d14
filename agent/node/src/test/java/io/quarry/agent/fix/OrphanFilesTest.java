package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.Stage;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is taken for left over is removed: whatever may still count must not be. */
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
                      false,
                      "h1",
                      null,
                      null,
                      List.of(),
                      "filled",
                      Instant.EPOCH)));

  @Test
  void filesOfOtherEpochsAreLeftOverOnceTheVolumeIsWhole() {
    assertThat(stray("whole.1.raw")).isTrue();
    assertThat(stray("whole.1.upload")).isTrue();
    assertThat(stray("filled.1.upload")).isFalse();
    assertThat(stray("whole.2.raw")).isFalse();
    assertThat(stray("begun.1.raw")).isFalse();
    assertThat(stray("going.1.raw")).isFalse();
    assertThat(stray("filled.1.raw")).isFalse();
    assertThat(stray("unknown.1.raw")).isTrue();
    assertThat(stray("notes.txt")).isFalse();
  }

  @Test
  void claimsAndCheckpointsAreLeftOverOnceTheVolumeIsWholeOrGone() {
    assertThat(stray(OrphanFiles.ofFix("mend-whole"))).isTrue();
    assertThat(stray(OrphanFiles.ofFix("mend-unknown"))).isTrue();
    assertThat(stray(OrphanFiles.ofFix("mend-begun"))).isFalse();
    assertThat(stray(OrphanFiles.ofFix("mend-going"))).isFalse();
    assertThat(stray(OrphanFiles.ofFix("optimize-filled"))).isFalse();
    assertThat(stray(OrphanFiles.ofFix("../volumes"))).isFalse();
  }

  private boolean stray(String file) {
    return OrphanFiles.isStray(file, state);
  }

  private static Volume volume(
      String id, Stage stage, @org.jspecify.annotations.Nullable String file) {
    return new Volume(id, "one", VolumeFormat.RAW, 512, null, stage, file, null, null);
  }
}
