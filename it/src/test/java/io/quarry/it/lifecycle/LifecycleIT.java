package io.quarry.it.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Fix;
import io.quarry.common.api.FixInfo;
import io.quarry.common.api.FixRequest;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.ImageStatus;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.plan.FixState;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.FixQueries;
import io.quarry.it.box.QemuGuest;
import io.quarry.it.lifecycle.Family.Member;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The everyday calls of engines, on two hosts; each test has its own two repositories. If look-ups
 * trusted a replica, an image would not be found through the other host.
 */
@Timeout(300)
@SuppressWarnings("SystemOut")
final class LifecycleIT {
  private static final long MIB = 1L << 20;
  private static final Duration POLL = Duration.ofMillis(20);
  private static final StatusQuery NOW = new StatusQuery(Duration.ZERO, null, 0);

  @TempDir static Path directory;

  private static Box box;
  private static StorageClient client;
  private static String main = "";
  private static String backup = "";

  @BeforeAll
  static void start() throws Exception {
    box = Box.startWithZooKeeperProcess(LocalClusterOptions.in(directory).withHosts(2));
    client = box.client(0);
  }

  @AfterAll
  static void stop() {
    if (box != null) {
      box.close();
    }
  }

  @AfterEach
  void unthrottle() {
    throttle(0);
  }

  @Test
  void imagesGoInAnyOrderAndNothingIsLeft() throws Exception {
    long seed = Long.getLong("quarry.it.seed", RandomGenerator.getDefault().nextLong());
    System.out.println("LifecycleIT: -Dquarry.it.seed=" + seed);
    connect("any-order");
    Path contents = Files.createDirectories(directory.resolve("contents"));
    Family family = new Family(box, new Random(seed), contents);
    makeImages(family);
    family.assertIntact();

    List<Member> order = family.inAnyOrder();
    for (int removed = 0; removed < order.size(); removed++) {
      if (removed == order.size() / 2) {
        throttle(0);
        order.subList(removed, order.size()).forEach(family::whole);
      }
      family.remove(order.get(removed));
      family.assertIntact();
    }
    for (String repoId : List.of(main, backup)) {
      for (String place : List.of("volumes", "fixes", "tmp")) {
        Path left = box.repository(repoId).resolve(place);
        await().atMost(Box.PATIENCE).untilAsserted(() -> assertThat(Box.names(left)).isEmpty());
      }
      assertThat(FixQueries.found(client, repoId)).isEmpty();
      assertThat(client.listFixes(repoId, 0)).isEmpty();
      assertThat(client.listImages(repoId, ImageQuery.ALL).images()).isEmpty();
      assertThat(client.getStorageRepository(repoId).images()).containsEntry("hidden", 0);
    }
  }

  /**
   * Makes a chain of several levels, a branch of the chain, and copies that are still on their way.
   */
  private static void makeImages(Family family) throws Exception {
    Member disk = family.disk(main);
    family.write(disk);
    Member first = family.snapshot(disk);
    family.write(disk);
    Member second = family.snapshot(disk);
    family.write(disk);
    family.snapshot(disk);
    Member fourth = family.snapshot(disk);
    family.write(disk);
    Member branch = family.diskOver(second);
    family.write(branch);
    Member twig = family.snapshot(branch);
    family.write(family.diskOver(twig));

    family.write(family.diskOver(family.whole(family.copy(first, backup))));
    Member elsewhere = family.whole(family.copy(disk, backup));
    family.write(elsewhere);
    Member back = family.snapshot(elsewhere);
    throttle(MIB);
    family.copy(elsewhere, main);
    family.copy(back, main);
    family.copy(fourth, backup);
    family.copy(twig, backup);
    family.copy(branch, main);
  }

  @Test
  void imageIsFoundThroughHostThatHasNotHeardOfIt() throws Exception {
    connect("look-up");
    String disk = Box.disk(client, main, MIB).imageId();
    // A host that does not know the SDM yet could not learn it during the pause.
    box.awaitSdm(main, 0, 1);
    box.awaitSdm(backup, 0, 1);
    // Hints of commits come through ZooKeeper; without them a replica looks each second.
    box.zooKeeper().pause();
    try {
      for (int round = 0; round < 6; round++) {
        StorageClient maker = box.client(round % 2);
        StorageClient other = box.client(1 - round % 2);
        String base = Box.snapshot(maker, main, disk).imageId();
        var over = Box.newDisk(MIB, base, ImageOptions.DEFAULT);
        String top = other.createVirtualDisk(main, over, null).imageId();
        Copying.copy(maker, backup, top, ImageOptions.DEFAULT);
      }
    } finally {
      box.zooKeeper().resume();
    }
  }

  @Test
  void fixRunsAsReceivedAndOnlyOnce() throws Exception {
    connect("no-auto-fix");
    ImageOptions waiting = new ImageOptions(false, Strategy.SPACE, null, Map.of());
    String disk = Box.disk(client, main, 4 * MIB).imageId();
    Box.awaitOptimized(client, main, disk);
    QemuGuest.use(client, main, disk, "write -P 7 1M 1M");
    String copy = Copying.copy(client, backup, disk, waiting).imageId();
    String other = Copying.copy(client, backup, disk, waiting).imageId();

    for (String hostId : box.hostIds()) {
      ImageStatus status = statusWithCommits(box.client(hostId), copy);
      assertThat(status.state()).isEqualTo(ImageState.BROKEN);
      assertThat(status.reason()).contains("the mend is not requested");
    }
    Fix fix = FixQueries.of(client, backup, copy);
    assertThat(fix.state()).isEqualTo("waiting");
    Fix otherFix = FixQueries.of(client, backup, other);
    Fix changed =
        new Fix(
            fix.type(),
            other,
            fix.reason(),
            fix.bytesToMove(),
            fix.bytesToGain(),
            fix.priority(),
            fix.state(),
            fix.lastError(),
            fix.data());
    assertThat(refusal(changed)).isEqualTo(ErrorCode.INVALID_ARGUMENT);

    box.client(1).fixStorageRepository(backup, new FixRequest(fix), null);
    new Copying(box, backup, copy).assertBecomes(client, main, disk);
    assertThat(refusal(fix)).isEqualTo(ErrorCode.FIX_STALE);
    assertThat(client.getImageStatus(backup, other, NOW).state()).isEqualTo(ImageState.BROKEN);
    // The bytes to move depend on merges in the source meanwhile.
    assertThat(FixQueries.found(client, backup))
        .singleElement()
        .satisfies(left -> assertThat(left.imageId()).isEqualTo(otherFix.imageId()))
        .satisfies(left -> assertThat(left.type()).isEqualTo(otherFix.type()));
  }

  /** Asks for the status once both agents have seen that agent's commits. */
  private static ImageStatus statusWithCommits(StorageClient asked, String imageId) {
    long commit = client.getStorageRepository(backup).commit();
    return asked.getImageStatus(backup, imageId, new StatusQuery(Duration.ZERO, null, commit));
  }

  private static ErrorCode refusal(Fix fix) {
    return catchThrowableOfType(
            StorageException.class,
            () -> client.fixStorageRepository(backup, new FixRequest(fix), null))
        .code();
  }

  @Test
  void failingFixIsParkedAndHoldsUpNothing() throws Exception {
    // The tool's message names paths, and so exceeds the limit for progress in the queue.
    connect("park" + "-long".repeat(20));
    String disk = Box.disk(client, main, 4 * MIB).imageId();
    Box.awaitOptimized(client, main, disk);
    QemuGuest.use(client, main, disk, "write -P 7 1M 1M");
    String sound = Box.snapshot(client, main, disk).imageId();
    QemuGuest.use(client, main, disk, "write -P 8 2M 1M");
    String another = Box.disk(client, main, MIB).imageId();
    String torn = Box.snapshot(client, main, disk).imageId();
    Path overlay = Path.of(QemuGuest.look(client, main, torn).path());
    byte[] header = overwriteStart(overlay, new byte[512]);

    String copy = Copying.copy(client, backup, torn, ImageOptions.DEFAULT).imageId();
    assertPausesBetweenFailures(copy);
    Box.awaitOptimized(client, backup, Box.disk(client, backup, MIB).imageId());
    Copying.start(box, client, backup, another).assertBecomes(client, main, another);
    FixInfo parked = awaitFailures(copy, FixState.FAILURES_MAX);
    assertThat(parked.state()).isEqualTo("parked");
    assertThat(parked.failures()).isEqualTo(FixState.FAILURES_MAX);
    assertThat(parked.lastError()).contains("qcow2");
    Fix fix = FixQueries.of(client, backup, copy);
    assertThat(fix.state()).isEqualTo("parked");
    assertThat(fix.lastError()).contains("qcow2");
    ImageStatus status = client.getImageStatus(backup, copy, NOW);
    assertThat(status.reason()).contains("parked");
    assertThat(Objects.requireNonNull(status.progress()).lastError()).contains("qcow2");
    Copying.start(box, client, backup, sound).assertBecomes(client, main, sound);

    overwriteStart(overlay, header);
    client.fixStorageRepository(backup, new FixRequest(fix), null);
    new Copying(box, backup, copy).assertBecomes(client, main, torn);
    assertThat(FixQueries.found(client, backup)).isEmpty();
  }

  /** Each try comes after the time that the failure before it has named. */
  private static void assertPausesBetweenFailures(String imageId) {
    Instant notBefore = Instant.EPOCH;
    for (int failures = 1; failures < FixState.FAILURES_MAX; failures++) {
      FixInfo failed = awaitFailures(imageId, failures);
      assertThat(Instant.now()).as("try %d", failures).isAfterOrEqualTo(notBefore);
      assertThat(failed.failures()).isEqualTo(failures);
      assertThat(failed.lastError()).contains("qcow2");
      assertThat(failed.state()).isEqualTo("retrying");
      notBefore = Objects.requireNonNull(failed.nextRetryAt());
    }
  }

  private static FixInfo awaitFailures(String imageId, int atLeast) {
    return await()
        .atMost(Box.PATIENCE)
        .pollDelay(Duration.ZERO)
        .pollInterval(POLL)
        .until(
            () -> FixQueries.listed(client, backup, imageId),
            found -> found.failures() >= atLeast && !found.state().equals("running"));
  }

  /** Returns the bytes that were there before. */
  private static byte[] overwriteStart(Path file, byte[] bytes) throws IOException {
    try (var open = new java.io.RandomAccessFile(file.toFile(), "rw")) {
      byte[] before = new byte[bytes.length];
      open.readFully(before);
      open.seek(0);
      open.write(bytes);
      return before;
    }
  }

  private static void connect(String name) throws IOException {
    client = box.client(0);
    main = name + "-main";
    backup = name + "-backup";
    box.connect(main);
    box.connect(backup);
  }

  private static void throttle(long bytesPerSecond) {
    box.hostIds().forEach(hostId -> box.client(hostId).setThrottle(bytesPerSecond));
  }
}
