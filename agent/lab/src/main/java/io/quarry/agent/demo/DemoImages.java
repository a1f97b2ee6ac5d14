package io.quarry.agent.demo;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.CreateSnapshotRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Makes a disk with real data, a snapshot of it, and thin disks over the snapshot. */
final class DemoImages {
  static final String OWNER = "quarry-demo";

  private static final int THIN_DISKS = 3;
  private static final Duration READY_MAX = Duration.ofSeconds(30);

  /** The ids of the images, all of them in the main repository. */
  record Images(String disk, String snapshot, List<String> thinDisks) {
    List<String> all() {
      List<String> all = new ArrayList<>(List.of(disk, snapshot));
      all.addAll(thinDisks);
      return all;
    }
  }

  private final Scene scene;
  private final DemoTools tools;
  private final RealDisk source;

  DemoImages(Scene scene, DemoTools tools, RealDisk source) {
    this.scene = scene;
    this.tools = tools;
    this.source = source;
  }

  Images make() throws IOException, InterruptedException, DemoFailure {
    String disk = create("demo disk", null);
    scene.timeline().add("created a disk of " + DemoFigures.mebibytes(source.size()));
    fill(disk);
    scene.timeline().add("a guest wrote " + DemoFigures.mebibytes(source.dataBytes()) + " into it");
    CreatedImage snapshot =
        scene
            .api()
            .createSnapshot(
                Scene.MAIN,
                new CreateSnapshotRequest(disk, name("demo snapshot"), ImageOptions.DEFAULT),
                null);
    Waiting.untilOptimized(scene, "snapshot", Scene.MAIN, disk, snapshot.commit(), READY_MAX);
    scene.timeline().add("took a snapshot; the disk goes on in an overlay");
    List<String> thin = new ArrayList<>();
    for (int number = 1; number <= THIN_DISKS; number++) {
      thin.add(create("thin disk " + number, snapshot.imageId()));
    }
    scene.timeline().add("made " + THIN_DISKS + " thin disks over the snapshot");
    return new Images(disk, snapshot.imageId(), thin);
  }

  private String create(String name, @Nullable String base)
      throws InterruptedException, DemoFailure {
    CreatedImage made =
        scene
            .api()
            .createVirtualDisk(
                Scene.MAIN,
                new CreateVirtualDiskRequest(source.size(), base, name(name), ImageOptions.DEFAULT),
                null);
    Waiting.untilOptimized(scene, name, Scene.MAIN, made.imageId(), made.commit(), READY_MAX);
    return made.imageId();
  }

  private void fill(String disk) throws IOException, InterruptedException {
    scene.audience().progress("writing the disk", null);
    OpenedImage opened =
        scene.api().openImage(Scene.MAIN, disk, new OpenRequest(false, OWNER), null);
    try {
      tools.writeOver(source.file(), VolumeFormat.RAW, Path.of(opened.path()), opened.format());
    } finally {
      scene.api().closeImage(Scene.MAIN, disk, opened.openId(), null);
    }
  }

  private static ObjectNode name(String name) {
    return JsonNodeFactory.instance.objectNode().put("name", name);
  }
}
