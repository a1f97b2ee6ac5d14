package io.quarry.it.failover;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.dev.LocalHost;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.CreateSnapshotRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.ImageStatus;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Strategy;
import io.quarry.common.model.VolumeFormat;
import io.quarry.it.box.QemuGuest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A disk with the fast strategy is usable at once and gets a volume of its own in the background. A
 * worker is killed, and a VM starts in between. If opening the disk did not cancel the copy, the
 * second write would be lost.
 */
@Timeout(300)
final class OptimizeIT {
  private static final Duration SESSION = Duration.ofSeconds(15);
  private static final SourceImage SOURCE = new SourceImage(4);
  private static final long SLOW = 256 << 10;
  private static final long FAST = 48 << 20;
  private static final String OWNER = "vm";

  @TempDir private Path directory;

  @Test
  void aFastDiskIsUsableAtOnceAndIndependentLater() throws Exception {
    try (ThreeHosts hosts = ThreeHosts.start(directory, SESSION, SLOW)) {
      StorageClient client = hosts.everywhere();
      Copies copies = new Copies(hosts);
      String base = snapshotOf(hosts, hosts.diskWith(SOURCE));
      CreatedImage disk =
          client.createVirtualDisk(
              ThreeHosts.MAIN,
              new CreateVirtualDiskRequest(
                  SOURCE.size(),
                  base,
                  ThreeHosts.label("fast"),
                  new ImageOptions(true, Strategy.PERFORMANCE, null, Map.of())),
              null);
      ImageStatus usable = await(client, disk.imageId(), ImageState.DEGRADED);
      assertThat(usable.state()).isEqualTo(ImageState.DEGRADED);
      assertThat(usable.reason()).contains("overlay of " + base);
      write(client, disk.imageId(), 0, "first");

      TaskInfo begun = beginAndKill(hosts, copies, disk.imageId());
      TaskInfo next =
          copies.await(
              begun.fixId(),
              hosts.allBut(hosts.named(begun.hostId())),
              now -> now.epoch() > begun.epoch() && Copies.checkpoint(now) >= 0);
      assertThat(Copies.checkpoint(next)).isGreaterThanOrEqualTo(Copies.checkpoint(begun));

      OpenedImage opened = open(client, disk.imageId());
      assertThat(client.listFixes(ThreeHosts.MAIN, 0))
          .noneMatch(fix -> fix.fixId().equals(begun.fixId()));
      assertThat(client.getImageStatus(ThreeHosts.MAIN, disk.imageId(), StatusQuery.NOW).reason())
          .contains("until it is closed");
      pattern(opened, SOURCE.size() - (1 << 20), "second");
      Path expected = directory.resolve("expected.raw");
      QemuGuest.export(opened, expected);
      client.closeImage(ThreeHosts.MAIN, disk.imageId(), opened.openId(), null);

      hosts.awaitWhole();
      hosts.cluster().hosts().forEach(host -> hosts.of(host).setThrottle(0));
      assertThat(await(client, disk.imageId(), ImageState.OPTIMIZED).state())
          .isEqualTo(ImageState.OPTIMIZED);
      ImageInfo info = client.getImage(ThreeHosts.MAIN, disk.imageId(), 0);
      assertThat(info.format()).isEqualTo(VolumeFormat.RAW);
      assertThat(info.parentImageId()).isNull();
      OpenedImage last = open(client, disk.imageId());
      assertThat(last.backingChain()).isEmpty();
      QemuGuest.assertContent(last, expected);
      client.closeImage(ThreeHosts.MAIN, disk.imageId(), last.openId(), null);
      awaitNothingLeft(hosts, directory.resolve(ThreeHosts.MAIN).resolve("volumes"));
    }
  }

  /** Kills the worker once it has a checkpoint. */
  private static TaskInfo beginAndKill(ThreeHosts hosts, Copies copies, String imageId)
      throws Exception {
    String fix = copies.fixOf(ThreeHosts.MAIN, imageId);
    TaskInfo task = copies.await(fix, hosts.cluster().hosts(), any -> Copies.checkpoint(any) >= 0);
    LocalHost worker = hosts.named(task.hostId());
    hosts.of(worker).setThrottle(FAST);
    TaskInfo begun = copies.await(fix, List.of(worker), now -> Copies.checkpoint(now) > 0);
    // The throttle outlives the agent.
    hosts.of(worker).setThrottle(SLOW);
    worker.killAgent();
    return begun;
  }

  private static String snapshotOf(ThreeHosts hosts, String diskId) {
    CreatedImage snapshot =
        hosts
            .everywhere()
            .createSnapshot(
                ThreeHosts.MAIN,
                new CreateSnapshotRequest(diskId, ThreeHosts.label("base"), ImageOptions.DEFAULT),
                null);
    hosts.awaitOptimized(ThreeHosts.MAIN, snapshot.imageId(), snapshot.commit());
    return snapshot.imageId();
  }

  private static ImageStatus await(StorageClient client, String imageId, ImageState state) {
    return client.getImageStatus(
        ThreeHosts.MAIN, imageId, new StatusQuery(ThreeHosts.PATIENCE, state, 0));
  }

  private static OpenedImage open(StorageClient client, String imageId) {
    return client.openImage(ThreeHosts.MAIN, imageId, new OpenRequest(false, OWNER), null);
  }

  private static void write(StorageClient client, String imageId, long at, String what)
      throws Exception {
    OpenedImage opened = open(client, imageId);
    pattern(opened, at, what);
    client.closeImage(ThreeHosts.MAIN, imageId, opened.openId(), null);
  }

  /** Writes as a VM would: through QEMU. */
  private static void pattern(OpenedImage opened, long at, String what) throws Exception {
    String command = "write -P %d %d 64k".formatted((int) what.charAt(0), at);
    QemuGuest.run(List.of("qemu-io", "-c", command, QemuGuest.name(opened)));
  }

  private static void awaitNothingLeft(ThreeHosts hosts, Path volumes) throws Exception {
    org.awaitility.Awaitility.await()
        .atMost(ThreeHosts.PATIENCE)
        .untilAsserted(() ->
            assertThat(
                    hosts
                        .everywhere()
                        .checkStorageRepository(ThreeHosts.MAIN, CheckOptions.DEFAULT)
                        .fixes())
                .isEmpty());
    try (Stream<Path> files = Files.list(volumes)) {
      assertThat(files)
          .as("one file for each image")
          .hasSize(hosts.allImages(ThreeHosts.MAIN).size());
    }
  }
}
