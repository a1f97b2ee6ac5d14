package io.quarry.coordinator.plan;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.FixType;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Limits;
import io.quarry.common.model.Strategy;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Image.Content;
import io.quarry.coordinator.plan.Image.Options;
import io.quarry.coordinator.plan.Image.Visibility;
import io.quarry.coordinator.plan.Volume.CopySource;
import io.quarry.coordinator.plan.Volume.Origin;
import io.quarry.coordinator.plan.Volume.Shape;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/**
 * Case 12.21: with 400 layers reads failed. With 998 an agent could open an image but not describe
 * it to the caller.
 */
final class LongChainTest {
  private RepositoryState state = RepositoryState.EMPTY;
  private long commit;

  private Reply plan(Request request) {
    Transaction transaction = new Transaction(state, ++commit, Instant.EPOCH);
    Reply reply = request.plan(transaction);
    state = transaction.state();
    return reply;
  }

  private ErrorCode refusal(Request request) {
    return catchThrowableOfType(StorageException.class, () -> plan(request)).code();
  }

  /** Finishes the recorded fixes of that type. */
  private void finish(FixType type) {
    for (FixState fix : state.fixes().values()) {
      Volume volume = state.volumes().get(String.valueOf(fix.volumeId()));
      if (fix.type() == type && volume != null && volume.stage() == Volume.Stage.INTENDED) {
        String file = volume.fileOfEpoch(1);
        plan(
            volume.replaces() == null
                ? new FinishMend(fix.id(), volume.id(), 1, file)
                : new FinishReplacement(fix.id(), volume.id(), 1, file));
      }
    }
  }

  private void disk(String id) {
    plan(
        new CreateVirtualDisk(
            id,
            "v-" + id,
            512,
            null,
            null,
            Strategy.SPACE,
            true,
            JsonNodeFactory.instance.objectNode(),
            null));
    finish(FixType.MEND);
  }

  private static CreateSnapshot snapshot(int number) {
    return new CreateSnapshot(
        "s" + number, "disk", "v" + number, true, JsonNodeFactory.instance.objectNode(), null);
  }

  private static CopyImage difference(int number) {
    return new CopyImage(
        "s" + number,
        "v" + number,
        ImageKind.SNAPSHOT,
        512,
        number == 0 ? null : "s" + (number - 1),
        new CopySource("other", "s" + number, "p" + number),
        Strategy.SPACE,
        true,
        JsonNodeFactory.instance.objectNode());
  }

  private Image image(String id) {
    return requireNonNull(state.images().get(id));
  }

  private int layers(String id) {
    return ChainLength.of(state, image(id));
  }

  @Test
  void snapshotsNeverMeetTheLimitWhileFixesAreDone() {
    disk("disk");
    for (int i = 0; i < 3 * Limits.CHAIN_LAYERS_MAX; i++) {
      plan(snapshot(i));
      finish(FixType.MEND);
      finish(FixType.OPTIMIZE);
      assertThat(layers("disk")).isLessThanOrEqualTo(Limits.CHAIN_LAYERS_FLATTEN);
    }
    assertThat(state.images().values())
        .allSatisfy(image -> assertThat(state.stateOf(image)).isEqualTo(ImageState.OPTIMIZED));
    StateInvariants.check(state);
  }

  @Test
  void incrementalCopiesNeverMeetTheLimitWhileFixesAreDone() {
    for (int i = 0; i < 3 * Limits.CHAIN_LAYERS_MAX; i++) {
      plan(difference(i));
      finish(FixType.MEND);
      finish(FixType.OPTIMIZE);
      assertThat(layers("s" + i)).isLessThanOrEqualTo(Limits.CHAIN_LAYERS_FLATTEN);
    }
  }

  @Test
  void limitIsToldUntilTheFixIsDone() {
    disk("disk");
    int i = 0;
    while (layers("disk") < Limits.CHAIN_LAYERS_MAX) {
      plan(snapshot(i++));
      finish(FixType.MEND);
    }
    assertThat(refusal(snapshot(i))).isEqualTo(ErrorCode.CHAIN_TOO_LONG);
    assertThat(refusal(new ResizeImage("disk", 1024, "w", "x", null)))
        .isEqualTo(ErrorCode.CHAIN_TOO_LONG);
    assertThat(refusal(new PinForCopy("p", "disk", "w", "x", "other", "copy", null, null)))
        .isEqualTo(ErrorCode.CHAIN_TOO_LONG);
    String lowest = "s" + Limits.CHAIN_LAYERS_FLATTEN;
    assertThat(state.stateOf(image(lowest))).isEqualTo(ImageState.DEGRADED);
    assertThat(Condition.reason(state, image(lowest))).contains("49 layers");
    assertThat(state.fixes().values())
        .filteredOn(fix -> fix.type() == FixType.OPTIMIZE)
        .singleElement()
        .satisfies(fix -> assertThat(fix.imageId()).isEqualTo(lowest));
    StateInvariants.check(state);
    finish(FixType.OPTIMIZE);
    assertThat(layers("disk")).isEqualTo(Limits.CHAIN_LAYERS_MAX - Limits.CHAIN_LAYERS_FLATTEN);
    plan(snapshot(i));
    StateInvariants.check(state);
  }

  @Test
  void overlaysOfTheLongestChainAreRefused() {
    for (int i = 0; i < Limits.CHAIN_LAYERS_MAX; i++) {
      plan(difference(i));
      finish(FixType.MEND);
    }
    String top = "s" + (Limits.CHAIN_LAYERS_MAX - 1);
    assertThat(layers(top)).isEqualTo(Limits.CHAIN_LAYERS_MAX);
    assertThat(refusal(difference(Limits.CHAIN_LAYERS_MAX))).isEqualTo(ErrorCode.CHAIN_TOO_LONG);
    assertThat(refusal(new PinAsBase("p", top, "other", "copy", 512)))
        .isEqualTo(ErrorCode.CHAIN_TOO_LONG);
    assertThat(
            refusal(
                new CreateVirtualDisk(
                    "over",
                    "v-over",
                    512,
                    top,
                    null,
                    Strategy.SPACE,
                    true,
                    JsonNodeFactory.instance.objectNode(),
                    null)))
        .isEqualTo(ErrorCode.CHAIN_TOO_LONG);
  }

  /** A repository as versions without a limit have left it. */
  private void oldRepository(int layers) {
    for (int i = 0; i < layers; i++) {
      String parent = i == 0 ? null : "s" + (i - 1);
      VolumeFormat format = i == 0 ? VolumeFormat.RAW : VolumeFormat.QCOW2;
      String file = "v" + i + ".1." + format.label();
      state =
          state
              .apply(
                  new Change.PutImage(
                      new Image(
                          "s" + i,
                          ImageKind.SNAPSHOT,
                          Visibility.VISIBLE,
                          new Content(512, "v" + i),
                          new Options(Strategy.SPACE, true, JsonNodeFactory.instance.objectNode()),
                          Instant.EPOCH)))
              .apply(
                  new Change.PutVolume(
                      new Volume("v" + i, "s" + i, new Shape(format, 512, parent), Origin.NONE)
                          .ready(file)));
    }
  }

  @Test
  void imageThatQemuMayFailToReadIsNotOpened() {
    oldRepository(Limits.CHAIN_LAYERS_OPEN_MAX + 1);
    int top = Limits.CHAIN_LAYERS_OPEN_MAX;
    assertThat(refusal(new OpenImage("o", "s" + top, true, "h", null, null)))
        .isEqualTo(ErrorCode.CHAIN_TOO_LONG);
    assertThat(state.opens()).isEmpty();
    plan(new OpenImage("o", "s" + (top - 1), true, "h", null, null));
    assertThat(state.opens()).containsKey("o");
  }

  @Test
  void oldChainGetsShorterFromOneFixOnThatACheckHasOffered() {
    oldRepository(998);
    assertThat(state.fixes()).isEmpty();
    Reply queued = plan(new QueueFix(ChainLength.flattenId("s997"), null));
    assertThat(requireNonNull(state.fixes().get(queued.id())).wanted()).isTrue();
    for (int round = 0; round < 998 && !state.fixes().isEmpty(); round++) {
      finish(FixType.OPTIMIZE);
      state = withoutCleans(state);
    }
    assertThat(layers("s997")).isLessThanOrEqualTo(Limits.CHAIN_LAYERS_FLATTEN);
    assertThat(refusal(new QueueFix(ChainLength.flattenId("s997"), null)))
        .isEqualTo(ErrorCode.FIX_STALE);
  }

  private static RepositoryState withoutCleans(RepositoryState state) {
    RepositoryState without = state;
    for (FixState fix : state.fixes().values()) {
      if (fix.type() == FixType.CLEAN) {
        without =
            without
                .apply(new Change.DropFix(fix.id()))
                .apply(new Change.DropVolume(String.valueOf(fix.volumeId())));
      }
    }
    return without;
  }
}
