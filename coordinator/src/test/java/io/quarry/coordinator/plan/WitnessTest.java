package io.quarry.coordinator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.plan.Image.Content;
import io.quarry.coordinator.plan.Image.Options;
import io.quarry.coordinator.plan.Image.Visibility;
import io.quarry.coordinator.plan.Volume.Origin;
import io.quarry.coordinator.plan.Volume.Witness;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** 20.1: which witnesses of frozen files a log keeps. */
final class WitnessTest {
  private static final Witness FIRST = new Witness(512, Instant.EPOCH);
  private static final Witness LATER = new Witness(512, Instant.EPOCH.plusNanos(1));

  private RepositoryState state =
      RepositoryState.EMPTY.apply(new Change.PutFeature(Feature.WITNESSES));

  @Test
  void firstWitnessCounts() {
    put(ImageKind.SNAPSHOT);
    look("image", FIRST);
    look("image", LATER);
    assertThat(witness()).isEqualTo(FIRST);
  }

  @Test
  void witnessOfADiskIsIgnored() {
    put(ImageKind.VIRTUAL_DISK);
    look("image", FIRST);
    assertThat(witness()).isNull();
  }

  /** A merge that begins to write to a volume renames its owner. */
  @Test
  void witnessIsIgnoredOnceTheVolumeHasAnotherOwner() {
    put(ImageKind.SNAPSHOT);
    look("owner-before", FIRST);
    assertThat(witness()).isNull();
  }

  @Test
  void olderLogGetsNoField() {
    state = RepositoryState.EMPTY;
    put(ImageKind.SNAPSHOT);
    look("image", FIRST);
    assertThat(witness()).isNull();
  }

  private void look(String owner, Witness witness) {
    Transaction transaction = new Transaction(state, 1, Instant.EPOCH);
    var _ =
        new WitnessVolumes(List.of(new WitnessVolumes.Seen("volume", owner, witness)))
            .plan(transaction);
    state = transaction.state();
  }

  private @Nullable Witness witness() {
    return Objects.requireNonNull(state.volumes().get("volume")).witness();
  }

  private void put(ImageKind kind) {
    Volume volume =
        new Volume("volume", "image", Layout.SPARSE_FILES.over(512, null), Origin.NONE)
            .ready("volume.1.raw");
    Image image =
        new Image(
            "image",
            kind,
            Visibility.VISIBLE,
            new Content(512, "volume"),
            new Options(Strategy.SPACE, true, JsonNodeFactory.instance.objectNode()),
            Instant.EPOCH);
    state = state.apply(new Change.PutVolume(volume)).apply(new Change.PutImage(image));
  }
}
