package io.quarry.it.failover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.LocalHost;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageExplanation;
import io.quarry.common.api.ImageExplanation.ExplainedFix;
import io.quarry.common.api.ImageExplanation.Obstacle;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.ImageStatus;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.FixType;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Strategy;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.QemuGuest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A disk over a snapshot of another repository, on three hosts that have other names for the two.
 * The third host reaches only the disk's repository. The base is removed at once. The base's data
 * is copied all the same while a VM runs, through a killed worker and a source that is away for a
 * while.
 */
@Timeout(300)
final class BaseElsewhereIT {
  private static final long MIB = 1L << 20;
  private static final int WINDOWS = 4;
  private static final long SLOW = 256 << 10;
  private static final long FAST = 48 * MIB;

  @TempDir static Path directory;

  private static Box box;

  private String templates;
  private String disks;

  @BeforeAll
  static void start() throws Exception {
    box = Box.start(Box.mortal(directory, 3));
  }

  @AfterAll
  static void stop() {
    if (box != null) {
      box.close();
    }
  }

  @BeforeEach
  void makeRepositories() throws Exception {
    templates = box.newName();
    disks = box.newName();
    for (int host = 0; host < 3; host++) {
      connectAll(host);
    }
  }

  @Test
  void diskIsUsableAtOnceAndItsBaseComesAfterIt() throws Exception {
    StorageClient client = box.client(0);
    String base = template();
    throttle(SLOW);
    String disk = disk(base, Strategy.SPACE);
    assertThat(status(0, disk).reason())
        .isEqualTo("its base " + base + " is still read in another repository");
    QemuGuest.use(client, id(0, disks), disk, "write -P 99 1M 3M");
    Path expected =
        QemuGuest.export(box.client(0), id(0, disks), disk, directory.resolve(disk + ".raw"));

    // On a host with other names for both repositories, and on one that reaches only the disk's.
    QemuGuest.assertContent(box.client(1), id(1, disks), disk, expected);
    assertNotReached(disk);

    // A VM continues with the files that its open was given, even without the base.
    OpenedImage machine = client.openImage(id(0, disks), disk, new OpenRequest(false, "vm"), null);
    assertThat(machine.backingChain()).hasSize(2);
    removeAll(templates);
    awaitFixes(0, templates, 0);
    assertThat(box.volumes(templates)).as("volumes of the base").hasSize(2);

    killAndDisconnect(disk);
    awaitOptimized(disk);
    QemuGuest.assertContent(machine, expected);
    assertThat(box.volumes(templates)).as("volumes that the VM uses").hasSize(2);
    client.closeImage(id(0, disks), disk, machine.openId(), null);
    await().atMost(Box.PATIENCE).until(() -> box.volumes(templates).isEmpty());

    // No other image needs the copied base, so the disk takes its data over.
    await().atMost(Box.PATIENCE).until(() -> look(2, disk).backingChain().isEmpty());
    OpenedImage after = look(2, disk);
    assertThat(Path.of(after.path())).startsWith(box.repository(disks));
    QemuGuest.assertContent(after, expected);
    removeAll(disks);
    await().atMost(Box.PATIENCE).until(() -> box.volumes(disks).isEmpty());
  }

  @Test
  void fastDiskTakesItInByItself() throws Exception {
    String base = template();
    String disk = disk(base, Strategy.PERFORMANCE);
    Path expected =
        QemuGuest.export(box.client(0), id(0, disks), disk, directory.resolve(disk + ".raw"));
    awaitOptimized(disk);
    assertThat(look(2, disk).backingChain()).isEmpty();
    QemuGuest.assertContent(box.client(2), id(2, disks), disk, expected);
    assertThat(explain(templates, base).neededBy()).noneMatch(need -> need.type().equals("pin"));
  }

  /** The last host does not reach the templates. */
  private void connectAll(int host) throws IOException {
    connect(host, disks);
    if (host < 2) {
      connect(host, templates);
    }
  }

  private static String id(int host, String name) {
    return name + "-of-" + host;
  }

  /** A restarted host connects nothing before the test has seen that no host reaches the source. */
  private static void connect(int host, String name) throws IOException {
    Path path = Files.createDirectories(box.repository(name));
    box.client(host)
        .createStorageRepository(
            new ConnectRequest(
                id(host, name), "localfs-1.0", Map.of("path", path.toString()), null, false));
  }

  private static void throttle(long bytesPerSecond) {
    box.hostIds().forEach(host -> box.client(host).setThrottle(bytesPerSecond));
  }

  /** Makes a snapshot of two layers. */
  private String template() throws Exception {
    StorageClient client = box.client(0);
    String repoId = id(0, templates);
    String disk = Copying.source(client, repoId, WINDOWS, 24 * MIB);
    Box.snapshot(client, repoId, disk);
    QemuGuest.use(client, repoId, disk, "write -P 77 5M 2M", "write -z 130M 1M");
    return Box.snapshot(client, repoId, disk).imageId();
  }

  private String disk(String base, Strategy strategy) {
    StorageClient client = box.client(0);
    ImageOptions options = new ImageOptions(true, strategy, null, Map.of());
    long size = (WINDOWS + 1) * Copying.WINDOW_BYTES;
    String disk =
        client.createVirtualDisk(id(0, disks), Box.newDisk(size, base, options), null).imageId();
    ImageStatus usable =
        client.getImageStatus(
            id(0, disks), disk, new StatusQuery(Box.PATIENCE, ImageState.DEGRADED, 0));
    assertThat(usable.state()).isNotEqualTo(ImageState.BROKEN);
    return disk;
  }

  private ImageStatus status(int host, String image) {
    return box.client(host).getImageStatus(id(host, disks), image, StatusQuery.NOW);
  }

  private OpenedImage look(int host, String image) {
    return QemuGuest.look(box.client(host), id(host, disks), image);
  }

  private ImageExplanation explain(String name, String image) {
    return box.client(0).explainImage(id(0, name), image, 0);
  }

  private void assertNotReached(String disk) {
    assertThat(status(2, disk).state()).isEqualTo(ImageState.DEGRADED);
    assertThat(status(2, disk).reason())
        .endsWith("; that repository is not connected on this host");
    assertThatThrownBy(() -> look(2, disk))
        .isInstanceOfSatisfying(
            StorageException.class,
            refusal -> {
              assertThat(refusal.code()).isEqualTo(ErrorCode.REPOSITORY_NOT_CONNECTED);
              assertThat(refusal.subject()).isEqualTo(disk);
            });
    assertThat(box.client(2).explainImage(id(2, disks), disk, 0).neededBy()).isEmpty();
  }

  private void removeAll(String name) {
    StorageClient client = box.client(0);
    client
        .listImages(id(0, name), ImageQuery.ALL)
        .images()
        .forEach(image ->
            client.removeImage(id(0, name), image.imageId(), RemoveImageOptions.DEFAULT, null));
  }

  private void awaitFixes(int host, String name, int count) {
    await()
        .atMost(Box.PATIENCE)
        .untilAsserted(() ->
            assertThat(
                    box.client(host)
                        .checkStorageRepository(id(host, name), CheckOptions.DEFAULT)
                        .fixes())
                .hasSize(count));
  }

  /**
   * Kills one worker, and disconnects the source of the other one, which continues when the source
   * is back.
   */
  private void killAndDisconnect(String disk) throws Exception {
    TaskInfo task = task(disk, any -> true);
    assertThat(task.type()).isEqualTo(FixType.OPTIMIZE);
    LocalHost victim = box.host(task.hostId());
    int other = victim == box.host(0) ? 1 : 0;
    box.client(task.hostId()).setThrottle(FAST);
    TaskInfo begun = task(disk, now -> Copying.checkpoint(now) > 0);
    victim.killAgent();
    TaskInfo next = task(disk, now -> now.epoch() > begun.epoch() && Copying.checkpoint(now) >= 0);
    assertThat(next.hostId()).isEqualTo(box.host(other).hostId());
    assertThat(Copying.checkpoint(next)).isGreaterThanOrEqualTo(Copying.checkpoint(begun));

    box.client(other).disconnectStorageRepository(id(other, templates));
    await()
        .atMost(Box.PATIENCE)
        .untilAsserted(() -> {
          ImageExplanation stuck = box.client(2).explainImage(id(2, disks), disk, 0);
          assertThat(stuck.state()).isEqualTo(ImageState.DEGRADED);
          assertThat(stuck.fix())
              .isNotNull()
              .extracting(ExplainedFix::obstacle)
              .isEqualTo(Obstacle.UNREACHABLE);
          assertThat(status(2, disk).reason()).contains("; no live host reaches ");
        });
    victim.awaitReady(Box.PATIENCE);
    for (int host = 0; host < 3; host++) {
      connectAll(host);
    }
    throttle(0);
  }

  private TaskInfo task(String disk, Predicate<TaskInfo> wanted) {
    return await()
        .atMost(Box.PATIENCE)
        .pollInterval(Duration.ofMillis(10))
        .ignoreExceptions()
        .until(
            () ->
                box.hostIds().stream()
                    .map(host -> taskOn(host, disk))
                    .flatMap(Optional::stream)
                    .filter(wanted)
                    .findAny()
                    .orElse(null),
            task -> task != null);
  }

  private Optional<TaskInfo> taskOn(String host, String disk) {
    try {
      return box.client(host).listTasks(host).stream()
          .filter(task -> disk.equals(task.imageId()) && task.type() == FixType.OPTIMIZE)
          .findAny();
    } catch (StorageException e) {
      return Optional.empty();
    }
  }

  private void awaitOptimized(String disk) {
    Box.awaitOptimized(box.client(2), id(2, disks), disk);
    @Nullable String reason = status(2, disk).reason();
    assertThat(reason).isNull();
  }
}
