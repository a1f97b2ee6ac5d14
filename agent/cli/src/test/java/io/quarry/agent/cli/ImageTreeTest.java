package io.quarry.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.ImagePage;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.VolumeFormat;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class ImageTreeTest {
  private static final Instant NOON = Instant.parse("2026-03-01T12:00:00Z");

  @Test
  void hiddenImageShowsBelowAVisibleOne() {
    ImageInfo bottom = snapshot("bottom", null, true, null);
    ImageInfo removed = snapshot("removed", "bottom", false, NOON);
    ImageInfo internal = snapshot("internal", "removed", false, null);
    ImageInfo top = snapshot("top", "internal", true, null);
    ImageInfo leaf = snapshot("leaf", "bottom", false, NOON);
    ImageInfo difference = snapshot("difference", "elsewhere", true, null);
    ImagePage page =
        new ImagePage(List.of(bottom, difference, internal, leaf, removed, top), null, 1);
    assertThat(ImageTree.draw(ImageTree.roots(page)))
        .isEqualTo(
            """
            bottom  Snapshot  optimized  512 B  raw
            └─ removed  Snapshot  removed  512 B  raw
               └─ internal  Snapshot  internal  512 B  raw
                  └─ top  Snapshot  optimized  512 B  raw
            elsewhere  missing
            └─ difference  Snapshot  optimized  512 B  raw
            """);
  }

  private static ImageInfo snapshot(
      String id, @Nullable String parent, boolean visible, @Nullable Instant retainedUntil) {
    return new ImageInfo(
        id,
        ImageKind.SNAPSHOT,
        visible,
        ImageState.OPTIMIZED,
        null,
        512,
        512,
        512,
        VolumeFormat.RAW,
        parent,
        List.of(),
        JsonNodeFactory.instance.objectNode(),
        NOON,
        retainedUntil,
        List.of(),
        1);
  }
}
