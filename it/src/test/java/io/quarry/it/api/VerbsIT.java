package io.quarry.it.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.FixInfo;
import io.quarry.common.api.FixRequest;
import io.quarry.common.api.HostInfo;
import io.quarry.common.api.ImageExplanation;
import io.quarry.common.api.ImageExplanation.ExplainedFix;
import io.quarry.common.api.ImageExplanation.Need;
import io.quarry.common.api.ImageExplanation.Obstacle;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.ImageStatus;
import io.quarry.common.api.Json;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.RequestOutcome;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Strategy;
import io.quarry.common.model.Visibility;
import io.quarry.it.box.Box;
import io.quarry.it.box.QemuGuest;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The operations that change or explain images, over HTTP, with real agents: one test per
 * operation.
 */
@Timeout(300)
final class VerbsIT {
  private static final long SIZE = 1 << 20;
  private static final long LARGE = 32 << 20;

  /** Bytes per second at which a large copy takes long enough for a test to see it. */
  private static final long SLOW = 1 << 20;

  private static final StatusQuery NOW = new StatusQuery(Duration.ZERO, null, 0);

  @TempDir static Path directory;

  private static Box box;
  private static StorageClient client;
  private static StorageClient other;

  @BeforeAll
  static void start() throws Exception {
    box = Box.pair(directory, "main", "far");
    client = box.client(0);
    other = box.client(1);
  }

  @AfterAll
  static void stop() {
    if (box != null) {
      box.close();
    }
  }

  @Test
  void setUserData() {
    String disk = Box.disk(client, "main", SIZE).imageId();
    ObjectNode named = Json.MAPPER.createObjectNode().put("name", "web").put("zone", 1);
    long commit = client.setUserData("main", disk, named, "label-1").commit();
    assertThat(other.getImage("main", disk, commit).userData()).isEqualTo(named);

    ObjectNode renamed = Json.MAPPER.createObjectNode().put("name", "db");
    client.setUserData("main", disk, renamed, null);
    assertThat(other.setUserData("main", disk, named, "label-1").commit())
        .as("a repeated call has no second effect")
        .isEqualTo(commit);
    assertThat(client.getImage("main", disk, 0).userData()).isEqualTo(renamed);

    ObjectNode large = Json.MAPPER.createObjectNode().put("name", "x".repeat(64 << 10));
    assertThatThrownBy(() -> client.setUserData("main", disk, large, null))
        .isInstanceOf(StorageException.class);
    refused(
        ErrorCode.REQUEST_ID_REUSED,
        () -> client.removeImage("main", disk, RemoveImageOptions.DEFAULT, "label-1"));
    client.removeImage("main", disk, RemoveImageOptions.DEFAULT, null);
    refused(ErrorCode.IMAGE_NOT_FOUND, () -> client.setUserData("main", disk, named, null));
  }

  @Test
  void cancelRequest() {
    RequestOutcome cancelled = client.cancelRequest("main", "cancel-1");
    assertThat(cancelled.committed()).isFalse();
    assertThat(other.cancelRequest("main", "cancel-1")).isEqualTo(cancelled);
    var disk =
        new CreateVirtualDiskRequest(
            SIZE, null, Json.MAPPER.createObjectNode(), ImageOptions.DEFAULT);
    refused(ErrorCode.REQUEST_ID_REUSED, () -> other.createVirtualDisk("main", disk, "cancel-1"));

    CreatedImage made = client.createVirtualDisk("main", disk, "cancel-2");
    RequestOutcome outcome = other.cancelRequest("main", "cancel-2");
    assertThat(outcome)
        .isEqualTo(new RequestOutcome(true, "createVirtualDisk", made.imageId(), made.commit()));
    assertThat(client.getImage("main", made.imageId(), outcome.commit()).visible()).isTrue();
    refused(ErrorCode.REPOSITORY_NOT_CONNECTED, () -> client.cancelRequest("nowhere", "cancel-3"));
  }

  @Test
  void resizeImage() throws Exception {
    String disk = Box.disk(client, "main", SIZE).imageId();
    QemuGuest.use(client, "main", disk, "write -P 6 0 " + SIZE);
    long grown = client.resizeImage("main", disk, 2 * SIZE, "grow-1").commit();
    assertThat(other.getImage("main", disk, grown).size()).isEqualTo(2 * SIZE);
    OpenedImage opened = other.openImage("main", disk, new OpenRequest(false, "vm"), null);
    assertThat(opened.size()).isEqualTo(2 * SIZE);
    refused(ErrorCode.IMAGE_IN_USE, () -> client.resizeImage("main", disk, 4 * SIZE, null));
    other.closeImage("main", disk, opened.openId(), null);
    QemuGuest.use(
        client, "main", disk, "read -P 6 0 1M", "read -P 0 1M 1M", "write -P 7 " + SIZE + " 1M");

    assertThat(other.resizeImage("main", disk, 2 * SIZE, "grow-1").commit())
        .as("a repeated call has no second effect")
        .isEqualTo(grown);
    refused(ErrorCode.REQUEST_ID_REUSED, () -> other.resizeImage("main", disk, 4 * SIZE, "grow-1"));
    assertThat(client.getImage("main", disk, 0).size()).isEqualTo(2 * SIZE);
    client.resizeImage("main", disk, 2 * SIZE, null);
    refused(ErrorCode.INVALID_ARGUMENT, () -> client.resizeImage("main", disk, SIZE, null));

    String snapshot = Box.snapshot(client, "main", disk).imageId();
    refused(
        ErrorCode.IMAGE_KIND_MISMATCH, () -> client.resizeImage("main", snapshot, 4 * SIZE, null));
    client.resizeImage("main", disk, 4 * SIZE, null);
    assertThat(QemuGuest.look(client, "main", snapshot).size()).isEqualTo(2 * SIZE);
    QemuGuest.use(
        client, "main", disk, "read -P 6 0 1M", "read -P 7 1M 1M", "write -P 8 2M 2M", "flush");
    String copied = copy(disk);
    Box.awaitOptimized(client, "far", copied);
    QemuGuest.assertSameContent(client, "main", disk, "far", copied);
    client.removeImage("main", snapshot, RemoveImageOptions.DEFAULT, null);
    remove(disk, Duration.ZERO);
  }

  @Test
  void explainImage() throws Exception {
    String disk = waitingDisk();
    ImageExplanation waiting = client.explainImage("main", disk, 0);
    assertThat(waiting.state()).isEqualTo(ImageState.BROKEN);
    assertThat(waiting.missing()).isEqualTo("its volume has not been made yet");
    assertThat(obstacleOf(waiting)).isEqualTo(Obstacle.NOT_ASKED);
    assertThat(waiting.sentences()).hasSize(2).allMatch(sentence -> sentence.endsWith("."));

    String mend = fixOf(waiting).fixId();
    long paused = client.pauseFix("main", mend, null).commit();
    ImageExplanation resting = other.explainImage("main", disk, paused);
    assertThat(obstacleOf(resting)).isEqualTo(Obstacle.PAUSED);
    assertThat(resting.sentences().getLast()).matches(".* since [-0-9T:]*Z; resume it[.]");
    client.resumeFix("main", mend, null);
    fixAll("main", disk);
    Box.awaitOptimized(client, "main", disk);
    ImageExplanation done = client.explainImage("main", disk, 0);
    assertThat(done.fix()).isNull();
    assertThat(done.sentences()).containsExactly("It is optimized: nothing is missing.");

    String snapshot = Box.snapshot(client, "main", disk).imageId();
    String opened =
        client.openImage("main", snapshot, new OpenRequest(true, "backup"), null).openId();
    assertThat(
            other.getImage("main", snapshot, client.getImage("main", snapshot, 0).commit()).opens())
        .singleElement()
        .returns(opened, ImageInfo.Open::openId)
        .returns("backup", ImageInfo.Open::owner)
        .returns(box.host(0).hostId(), ImageInfo.Open::hostId)
        .returns(true, ImageInfo.Open::readOnly);
    long removed = client.removeImage("main", snapshot, RemoveImageOptions.DEFAULT, null).commit();
    ImageExplanation hidden = other.explainImage("main", snapshot, removed);
    assertThat(hidden.visible()).isFalse();
    assertThat(hidden.neededBy()).extracting(Need::type).containsExactly("overlay", "open");
    assertThat(hidden.neededBy()).extracting(Need::id).containsExactly(disk, opened);
    assertThat(hidden.fix()).isNull();
    client.closeImage("main", snapshot, opened, null);
    refused(ErrorCode.IMAGE_NOT_FOUND, () -> client.explainImage("main", "nothing", 0));
  }

  @Test
  void pauseFixAndResumeFix() throws Exception {
    String snapshot = largeSnapshot();
    throttle(SLOW);
    try {
      copy(snapshot);
      TaskInfo task = awaitTask(snapshot);
      ImageExplanation working = other.explainImage("far", snapshot, 0);
      assertThat(fixOf(working).hostId()).isEqualTo(task.hostId());
      assertThat(obstacleOf(working)).isNull();

      client.pauseFix("far", task.fixId(), null);
      await().atMost(Box.PATIENCE).until(() -> tasksOf(snapshot).isEmpty());
      throttle(0);
      FixInfo paused = fix("far", task.fixId());
      assertThat(paused.state()).isEqualTo("paused");
      assertThat(paused.hostId()).isNull();
      assertThat(client.getImageStatus("far", snapshot, NOW).state()).isEqualTo(ImageState.BROKEN);

      other.resumeFix("far", task.fixId(), null);
      Box.awaitOptimized(client, "far", snapshot);
    } finally {
      throttle(0);
    }
    QemuGuest.assertSameContent(client, "main", snapshot, "far", snapshot);
    refused(ErrorCode.FIX_NOT_FOUND, () -> client.pauseFix("far", "mend-nothing", null));
    refused(ErrorCode.FIX_NOT_FOUND, () -> client.resumeFix("far", "mend-nothing", null));
  }

  @Test
  void pausedLightFixWaitsForItsResumption() {
    String disk = waitingDisk();
    String mend = fixOf(client.explainImage("main", disk, 0)).fixId();
    client.pauseFix("main", mend, null);
    fixAll("main", disk);
    ImageStatus still =
        client.getImageStatus(
            "main", disk, new StatusQuery(Duration.ofSeconds(2), ImageState.OPTIMIZED, 0));
    assertThat(still.state()).isEqualTo(ImageState.BROKEN);
    client.resumeFix("main", mend, null);
    Box.awaitOptimized(client, "main", disk);
  }

  @Test
  void removeImageWithRetainAndRestoreImage() throws Exception {
    String disk = Box.disk(client, "main", SIZE).imageId();
    Box.awaitOptimized(client, "main", disk);
    QemuGuest.use(client, "main", disk, "write -P 5 0 4096");
    long removed = remove(disk, Duration.ofHours(1));
    ImageExplanation retained = other.explainImage("main", disk, removed);
    assertThat(retained.visible()).isFalse();
    assertThat(retained.retainedUntil()).isAfter(Instant.now().plusSeconds(1800));
    assertThat(obstacleOf(retained)).isEqualTo(Obstacle.RETAINED);
    refused(ErrorCode.IMAGE_NOT_FOUND, () -> client.getImage("main", disk, removed));
    assertThat(listed(Visibility.VISIBLE)).doesNotContain(disk);
    assertThat(listed(Visibility.REMOVED)).contains(disk);

    long restored = other.restoreImage("main", disk, "restore-1").commit();
    assertThat(client.restoreImage("main", disk, "restore-1").commit()).isEqualTo(restored);
    assertThat(client.getImage("main", disk, restored).state()).isEqualTo(ImageState.OPTIMIZED);
    assertThat(listed(Visibility.REMOVED)).doesNotContain(disk);
    QemuGuest.use(client, "main", disk, "read -P 5 0 4096");

    String file = Path.of(QemuGuest.look(client, "main", disk).path()).getFileName().toString();
    remove(disk, Duration.ofSeconds(2));
    assertThat(box.volumes("main")).contains(file);
    await().atMost(Box.PATIENCE).until(() -> !box.volumes("main").contains(file));
    refused(ErrorCode.IMAGE_NOT_FOUND, () -> client.restoreImage("main", disk, null));
    refused(
        ErrorCode.INVALID_ARGUMENT,
        () ->
            client.removeImage(
                "main", "nothing", new RemoveImageOptions(true, Duration.ofDays(9999)), null));
  }

  private static List<String> listed(Visibility visibility) {
    ImageQuery query = new ImageQuery(null, null, visibility, null, null, ImageQuery.LIMIT_MAX, 0);
    return client.listImages("main", query).images().stream().map(ImageInfo::imageId).toList();
  }

  @Test
  void restoredUnfinishedImageIsFinished() throws Exception {
    String disk = waitingDisk();
    remove(disk, Duration.ofHours(1));
    client.restoreImage("main", disk, null);
    Box.awaitOptimized(client, "main", disk);
    QemuGuest.use(client, "main", disk, "write -P 5 0 4096");
  }

  private static long remove(String imageId, Duration retain) {
    return client.removeImage("main", imageId, new RemoveImageOptions(true, retain), null).commit();
  }

  @Test
  void drainHost() throws Exception {
    String snapshot = largeSnapshot();
    throttle(SLOW);
    String drained = "";
    try {
      copy(snapshot);
      drained = awaitTask(snapshot).hostId();
      String host = drained;
      StorageClient there = box.client(host);
      // Called at the other host's agent, which passes the call on.
      (there == client ? other : client).drainHost(host, true);
      assertThat(there.listTasks(host)).isEmpty();
      TaskInfo elsewhere = awaitTask(snapshot);
      assertThat(elsewhere.hostId()).isNotEqualTo(host);
      await().atMost(Box.PATIENCE).until(() -> hostInfo(host).drainedSince() != null);
      for (String repoId : List.of("main", "far")) {
        assertThat(box.awaitSdm(repoId, 0, 1)).isNotEqualTo(host);
      }
      throttle(0);
      Box.awaitOptimized(client, "far", snapshot);

      String made = Box.disk(there, "main", SIZE).imageId();
      Box.awaitOptimized(there, "main", made);

      there.drainHost(host, false);
      await().atMost(Box.PATIENCE).until(() -> hostInfo(host).drainedSince() == null);
    } finally {
      throttle(0);
      if (!drained.isEmpty()) {
        client.drainHost(drained, false);
      }
    }
    QemuGuest.assertSameContent(client, "main", snapshot, "far", snapshot);
    refused(ErrorCode.HOST_NOT_FOUND, () -> client.drainHost("host-9", true));
  }

  @Test
  void drainedHostsOfAClusterSayThatTheyAre() {
    client.drainHost(box.host(0).hostId(), true);
    client.drainHost(box.host(1).hostId(), true);
    try {
      await()
          .atMost(Box.PATIENCE)
          .until(() -> client.listHosts().stream().allMatch(host -> host.drainedSince() != null));
      String disk = Box.disk(client, "main", SIZE).imageId();
      assertThat(obstacleOf(client.explainImage("main", disk, 0))).isEqualTo(Obstacle.DRAINED);
      client.drainHost(box.host(1).hostId(), false);
      Box.awaitOptimized(client, "main", disk);
    } finally {
      client.drainHost(box.host(0).hostId(), false);
      client.drainHost(box.host(1).hostId(), false);
    }
  }

  private static HostInfo hostInfo(String hostId) {
    return client.listHosts().stream()
        .filter(host -> host.hostId().equals(hostId))
        .findAny()
        .orElseThrow();
  }

  /** A snapshot full of data, so that its copy can be slowed down. */
  private static String largeSnapshot() throws Exception {
    String disk = Box.disk(client, "main", LARGE).imageId();
    Box.awaitOptimized(client, "main", disk);
    QemuGuest.use(client, "main", disk, "write -P 7 0 " + LARGE);
    String snapshot = Box.snapshot(client, "main", disk).imageId();
    Box.awaitOptimized(client, "main", disk);
    return snapshot;
  }

  private static String copy(String imageId) {
    return client
        .copyImage(
            "far",
            new CopyImageRequest(
                imageId, null, Json.MAPPER.createObjectNode(), ImageOptions.DEFAULT),
            null)
        .imageId();
  }

  private static List<TaskInfo> tasksOf(String imageId) {
    return client.listTasks(null).stream().filter(task -> imageId.equals(task.imageId())).toList();
  }

  /** Waits for a task that has copied some data. */
  private static TaskInfo awaitTask(String imageId) {
    return await()
        .atMost(Box.PATIENCE)
        .until(
            () -> tasksOf(imageId),
            tasks -> !tasks.isEmpty() && tasks.getFirst().progress() != null)
        .getFirst();
  }

  private static FixInfo fix(String repoId, String fixId) {
    return client.listFixes(repoId, 0).stream()
        .filter(fix -> fix.fixId().equals(fixId))
        .findAny()
        .orElseThrow();
  }

  private static void throttle(long bytesPerSecond) {
    client.setThrottle(bytesPerSecond);
    other.setThrottle(bytesPerSecond);
  }

  private static String waitingDisk() {
    ImageOptions waiting = new ImageOptions(false, Strategy.SPACE, null, Map.of());
    return client.createVirtualDisk("main", Box.newDisk(SIZE, null, waiting), null).imageId();
  }

  private static void fixAll(String repoId, String imageId) {
    client.checkStorageRepository(repoId, CheckOptions.DEFAULT).fixes().stream()
        .filter(fix -> imageId.equals(fix.imageId()))
        .forEach(fix -> client.fixStorageRepository(repoId, new FixRequest(fix), null));
  }

  private static ExplainedFix fixOf(ImageExplanation explanation) {
    return Objects.requireNonNull(explanation.fix());
  }

  private static @Nullable Obstacle obstacleOf(ImageExplanation explanation) {
    return fixOf(explanation).obstacle();
  }

  private static void refused(ErrorCode code, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StorageException.class, refusal -> assertThat(refusal.code()).isEqualTo(code));
  }
}
