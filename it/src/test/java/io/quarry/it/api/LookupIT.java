package io.quarry.it.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Strategy;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.QemuGuest;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Where agents look for images, shown by the pins that the calls leave: no fix runs by itself here.
 * One snapshot is whole in two repositories. The snapshot is broken in a third repository, whose
 * name comes first.
 */
@Timeout(180)
final class LookupIT {
  private static final long SIZE = 4 << 20;
  private static final String BROKEN = "broken";
  private static final String MAIN = "main";
  private static final String OTHER = "other";
  private static final String TARGET = "target";

  @TempDir static Path directory;

  private static Box box;
  private static StorageClient client;
  private static String snapshot = "";

  @BeforeAll
  static void start() throws Exception {
    box = Box.pair(directory);
    client = box.client(0);
    for (String repoId : List.of(BROKEN, MAIN, OTHER, TARGET)) {
      box.connect(repoId);
    }
    String disk = Box.disk(client, MAIN, SIZE).imageId();
    Box.awaitOptimized(client, MAIN, disk);
    QemuGuest.use(client, MAIN, disk, "write -P 5 1M 1M");
    snapshot = Box.snapshot(client, MAIN, disk).imageId();
    Copying.copy(client, OTHER, snapshot, ImageOptions.DEFAULT);
    Box.awaitOptimized(client, OTHER, snapshot);
    Copying.copy(client, BROKEN, snapshot, options(List.of(MAIN), null));
    assertThat(client.getImage(BROKEN, snapshot, 0).state()).isEqualTo(ImageState.BROKEN);
  }

  @AfterAll
  static void stop() {
    if (box != null) {
      box.close();
    }
  }

  @Test
  void snapshotOfTheTargetIsUsedWhereverItWasFound() throws Exception {
    for (ImageOptions options :
        List.of(
            ImageOptions.DEFAULT,
            new ImageOptions(true, Strategy.SPACE, List.of(MAIN), Map.of()))) {
      long pins = pins(MAIN);
      String disk = disk(OTHER, options).imageId();
      Box.awaitOptimized(client, OTHER, disk);
      assertThat(QemuGuest.look(client, OTHER, disk).backingChain())
          .singleElement()
          .satisfies(base -> assertThat(base.path()).startsWith(box.repository(OTHER).toString()));
      assertThat(pins(MAIN)).as("pins").isEqualTo(pins);
    }
  }

  @Test
  void baseIsReadWhereItIsWholeAndWhereTheOptionsSay() {
    long main = pins(MAIN);
    disk(TARGET, options(null, null));
    assertThat(pins(MAIN)).isEqualTo(main + 1);
    disk(TARGET, options(List.of(BROKEN, OTHER), null));
    disk(TARGET, options(null, OTHER));
    disk(TARGET, options(List.of(MAIN), OTHER));
    assertThat(pins(OTHER)).isEqualTo(3);
    assertThat(pins(MAIN)).isEqualTo(main + 1);
    assertThat(pins(BROKEN)).isZero();

    refused(ErrorCode.IMAGE_BROKEN, options(null, BROKEN));
    refused(ErrorCode.IMAGE_BROKEN, options(List.of(BROKEN), null));
    refused(ErrorCode.IMAGE_NOT_FOUND, options(List.of(TARGET), null));
    // No call may find the invisible copy that the disks wait for.
    refused(ErrorCode.IMAGE_NOT_FOUND, options(null, TARGET));
    refused(ErrorCode.REPOSITORY_NOT_CONNECTED, options(null, "nowhere"));
    refused(ErrorCode.REPOSITORY_NOT_CONNECTED, options(List.of(MAIN, "nowhere"), null));
  }

  private static CreatedImage disk(String repoId, ImageOptions options) {
    return client.createVirtualDisk(repoId, Box.newDisk(SIZE, snapshot, options), null);
  }

  private static ImageOptions options(@Nullable List<String> participating, @Nullable String hint) {
    Map<String, String> hints = hint == null ? Map.of() : Map.of(snapshot, hint);
    return new ImageOptions(false, Strategy.SPACE, participating, hints);
  }

  private static long pins(String repoId) {
    return client.explainImage(repoId, snapshot, 0).neededBy().stream()
        .filter(need -> need.type().equals("pin"))
        .count();
  }

  private static void refused(ErrorCode code, ImageOptions options) {
    assertThatThrownBy(() -> disk(TARGET, options))
        .isInstanceOfSatisfying(
            StorageException.class, refusal -> assertThat(refusal.code()).isEqualTo(code));
  }
}
