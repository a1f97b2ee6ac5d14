package io.quarry.agent.check;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Strategy;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Image.Content;
import io.quarry.coordinator.plan.Image.Options;
import io.quarry.coordinator.plan.Image.Visibility;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.Open.Layers;
import io.quarry.coordinator.plan.Open.Upload;
import io.quarry.coordinator.plan.Open.User;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.CopySource;
import io.quarry.coordinator.plan.Volume.Origin;
import io.quarry.coordinator.plan.Volume.Shape;
import io.quarry.coordinator.plan.Volume.Stage;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Makes states as logs would hold them. */
public final class States {
  public static final Instant NOON = Instant.parse("2026-03-01T12:00:00Z");
  public static final long SIZE = 1 << 20;

  private RepositoryState state = RepositoryState.EMPTY;

  public RepositoryState state() {
    return state;
  }

  /** A visible disk, or a snapshot, on the volume {@code v-<id>}. */
  public States image(String id, ImageKind kind, Strategy strategy) {
    return put(
        new Change.PutImage(
            new Image(
                id,
                kind,
                Visibility.VISIBLE,
                new Content(SIZE, "v-" + id),
                new Options(strategy, true, JsonNodeFactory.instance.objectNode()),
                NOON)));
  }

  public States disk(String id) {
    return image(id, ImageKind.VIRTUAL_DISK, Strategy.SPACE);
  }

  /** Adds the image's volume. */
  public States volume(String imageId, @Nullable String parent, Stage stage) {
    return volume(imageId, parent, stage, null);
  }

  public States volume(
      String imageId, @Nullable String parent, Stage stage, @Nullable CopySource source) {
    VolumeFormat format = parent == null ? VolumeFormat.RAW : VolumeFormat.QCOW2;
    String id = "v-" + imageId;
    String file = stage == Stage.INTENDED ? null : id + ".1." + format.label();
    return put(
        new Change.PutVolume(
            new Volume(
                id,
                imageId,
                new Shape(format, SIZE, parent),
                new Origin(source, null, null),
                stage,
                file,
                null,
                null)));
  }

  public States open(String id, String imageId, String hostId, @Nullable String fills) {
    return put(
        new Change.PutOpen(
            new Open(
                id,
                imageId,
                new User(hostId, "vm", null, null),
                false,
                new Layers(List.of("v-" + imageId), null),
                new Upload(fills, null),
                NOON)));
  }

  public States put(Change change) {
    state = state.apply(change);
    return this;
  }
}
