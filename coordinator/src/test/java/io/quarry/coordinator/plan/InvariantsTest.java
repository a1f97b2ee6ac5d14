package io.quarry.coordinator.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.model.FixType;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Strategy;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Image.Content;
import io.quarry.coordinator.plan.Image.Options;
import io.quarry.coordinator.plan.Image.Visibility;
import io.quarry.coordinator.plan.Volume.Origin;
import io.quarry.coordinator.plan.Volume.Replaced;
import io.quarry.coordinator.plan.Volume.Shape;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Each record that breaks an invariant is found, whichever of its changes does it. */
final class InvariantsTest {
  private final RepositoryState sound =
      apply(
          RepositoryState.EMPTY,
          List.of(image("base", "v-base"), ready("v-base", "base", null)),
          List.of(image("top", "v-top"), ready("v-top", "top", "base")));

  private static Change image(String id, String volumeId) {
    return new Change.PutImage(
        new Image(
            id,
            ImageKind.SNAPSHOT,
            Visibility.VISIBLE,
            new Content(512, volumeId),
            new Options(Strategy.SPACE, true, JsonNodeFactory.instance.objectNode()),
            Instant.EPOCH));
  }

  private static Change ready(String id, String imageId, @Nullable String parent) {
    return new Change.PutVolume(volume(id, imageId, parent, null).ready(id + ".1.raw"));
  }

  private static Change replacement(String id, String imageId, String replaced) {
    return new Change.PutVolume(
        volume(id, imageId, null, new Replaced(replaced, FixType.OPTIMIZE)));
  }

  private static Volume volume(
      String id, String imageId, @Nullable String parent, @Nullable Replaced replaced) {
    Shape shape = new Shape(VolumeFormat.RAW, 512, parent);
    return new Volume(id, imageId, shape, new Origin(null, replaced, null));
  }

  /** Of no volume, so that nothing but its epoch can be wrong. */
  private static Change fix(int epochs) {
    FixState fix = FixState.orphan("file", Instant.EPOCH);
    for (int i = 0; i < epochs; i++) {
      fix = fix.grantedTo(new Worker("host-1", "life"));
    }
    return new Change.PutFix(fix);
  }

  @SafeVarargs
  private static RepositoryState apply(RepositoryState state, List<Change>... records) {
    RepositoryState after = state;
    for (List<Change> record : records) {
      RepositoryState before = after;
      for (Change change : record) {
        after = after.apply(change);
      }
      assertThat(Invariants.hold(before, record, after)).isTrue();
    }
    return after;
  }

  private void refused(String why, Change... record) {
    assertThatThrownBy(() -> apply(sound, List.of(record)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining(why);
  }

  @Test
  void imageHasItsVolume() {
    refused("has no volume, but null", image("other", "v-other"));
    refused("has no volume, but null", new Change.DropVolume("v-top"));
    refused("has no volume, but Volume", image("top", "v-base"));
    refused("has no volume, but Volume", ready("v-top", "other", null));
    Volume top = volume("v-top", "top", null, null);
    refused("has no volume, but Volume", new Change.PutVolume(top.tombstoned()));
  }

  @Test
  void chainEnds() {
    refused("comes back to base", ready("v-base", "base", "top"));
    refused("comes back to base", ready("v-base", "base", "base"));
    refused("comes back to base", image("base", "v"), ready("v", "base", "top"));
  }

  @Test
  void imageHasOneReplacement() {
    Change first = replacement("r-1", "top", "v-top");
    Change second = replacement("r-2", "top", "v-top");
    refused("has the replacements", first, second);
    assertThatThrownBy(() -> apply(sound, List.of(first), List.of(second)))
        .hasMessageContaining("has the replacements");
    assertThat(apply(sound, List.of(first), List.of(second, new Change.DropVolume("r-1"))))
        .isNotNull();
  }

  @Test
  void replacementIsForTheVolumeThatTheImageHas() {
    refused("has another volume", replacement("r-1", "top", "v-base"));
    refused(
        "has another volume",
        replacement("r-1", "top", "v-top"),
        image("top", "v"),
        ready("v", "top", null));
    refused("has another volume", new Change.PutVolume(volume("v", "top", null, null)));
  }

  @Test
  void epochsNeverGoDown() {
    refused("goes down from 2", fix(1), fix(2), fix(1));
    assertThatThrownBy(() -> apply(sound, List.of(fix(2)), List.of(fix(1))))
        .hasMessageContaining("goes down from 2");
    Change dropped = new Change.DropFix(FixState.orphanId("file"));
    assertThat(apply(sound, List.of(fix(2)), List.of(fix(3), dropped, fix(1)))).isNotNull();
  }
}
