package io.quarry.it.failover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.LocalHost;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.client.StorageClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * ZooKeeper goes away, or loses all its data: the repositories are the truth. With an election that
 * deposed on connection loss, commits would be refused while ZooKeeper is down.
 */
@Timeout(600)
@SuppressWarnings("SystemOut")
final class ZooKeeperWipeIT {
  private static final Duration SESSION = Duration.ofSeconds(6);

  /** Longer than a session, which a running ZooKeeper would have ended. */
  private static final Duration DOWN = SESSION.plusSeconds(3);

  /** How often a disk is made in that time. */
  private static final Duration EVERY = Duration.ofMillis(50);

  private static final Duration CALL_MAX = Duration.ofSeconds(5);
  private static final SourceImage SOURCE = new SourceImage(4);
  private static final long SLOW = 256 << 10;
  private static final long FAST = 16 << 20;
  private static final long SMALL_DISK_BYTES = 64 << 10;

  @TempDir static Path directory;

  private static ThreeHosts hosts;
  private static Copies copies;

  @BeforeAll
  static void start() throws Exception {
    hosts = ThreeHosts.start(directory, SESSION, SLOW);
    copies = new Copies(hosts);
  }

  @AfterAll
  static void stop() {
    if (hosts != null) {
      hosts.close();
    }
  }

  @BeforeEach
  void slowDown() {
    throttle(SLOW);
  }

  @Test
  void everythingIsRebuiltAfterAWipe() throws Exception {
    String source = hosts.diskWith(SOURCE);
    CreatedImage copy = startedCopy(source);
    LocalHost sdm = hosts.named(ThreeHosts.sdm(hosts.everywhere(), ThreeHosts.MAIN).orElseThrow());

    hosts.cluster().zooKeeper().kill();
    Map<String, String> acknowledged = commitFor(DOWN, sdm, "wiped-");
    hosts.cluster().zooKeeper().wipe();
    hosts.cluster().zooKeeper().start();
    long back = System.nanoTime();
    hosts.awaitWhole();
    System.out.printf(
        "ZooKeeper down for %d s and wiped: %d disks created meanwhile; whole %.1f s after%n",
        DOWN.toSeconds(), acknowledged.size(), (System.nanoTime() - back) / 1e9);

    assertThat(acknowledged).isNotEmpty();
    assertThat(labels()).containsAllEntriesOf(acknowledged);
    throttle(0);
    hosts.awaitOptimized(ThreeHosts.BACKUP, copy.imageId(), copy.commit());
    copies.assertEqual(source, copy.imageId(), SOURCE);

    CreatedImage next = hosts.startCopy(source);
    hosts.awaitOptimized(ThreeHosts.BACKUP, next.imageId(), next.commit());
    copies.assertEqual(source, next.imageId(), SOURCE);
  }

  @Test
  void copyFinishesWithoutZooKeeper() throws Exception {
    String source = hosts.diskWith(SOURCE);
    CreatedImage copy = startedCopy(source);

    hosts.cluster().zooKeeper().kill();
    long killed = System.nanoTime();
    LocalHost sdm = hosts.named(ThreeHosts.sdm(hosts.everywhere(), ThreeHosts.MAIN).orElseThrow());
    Map<String, String> acknowledged = commitFor(DOWN, sdm, "down-");
    throttle(0);
    hosts.awaitOptimized(ThreeHosts.BACKUP, copy.imageId(), copy.commit());
    System.out.printf(
        "ZooKeeper down: %d disks created, the copy was whole after %.1f s%n",
        acknowledged.size(), (System.nanoTime() - killed) / 1e9);
    assertThat(acknowledged).isNotEmpty();
    copies.assertEqual(source, copy.imageId(), SOURCE);

    hosts.cluster().zooKeeper().start();
    hosts.awaitWhole();
    assertThat(labels()).containsAllEntriesOf(acknowledged);
  }

  /** Starts a copy that has its first checkpoint, and from then on hardly moves. */
  private static CreatedImage startedCopy(String source) {
    CreatedImage copy = hosts.startCopy(source);
    String fix = copies.fixOf(copy.imageId());
    TaskInfo task = copies.await(fix, hosts.cluster().hosts(), any -> true);
    StorageClient worker = hosts.of(hosts.named(task.hostId()));
    worker.setThrottle(FAST);
    TaskInfo begun = copies.await(fix, hosts.cluster().hosts(), now -> Copies.checkpoint(now) > 0);
    worker.setThrottle(SLOW);
    assertThat(Copies.checkpoint(begun)).isLessThan(SOURCE.size());
    return copy;
  }

  /** Creates disks through the SDM's own agent; returns the acknowledged ones by label. */
  private static Map<String, String> commitFor(Duration duration, LocalHost sdm, String prefix) {
    Map<String, String> acknowledged = new HashMap<>();
    List<StorageException> refused = new ArrayList<>();
    long end = System.nanoTime() + duration.toNanos();
    try (StorageClient client = hosts.clientWithin(CALL_MAX, List.of(sdm))) {
      await()
          .atMost(ThreeHosts.PATIENCE)
          .pollInterval(EVERY)
          .until(() -> {
            String label = prefix + (acknowledged.size() + refused.size());
            try {
              acknowledged.put(
                  label,
                  ThreeHosts.createDisk(client, ThreeHosts.MAIN, SMALL_DISK_BYTES, label)
                      .imageId());
            } catch (StorageException e) {
              refused.add(e);
            }
            return System.nanoTime() > end;
          });
    }
    assertThat(refused).as("commits refused").isEmpty();
    return acknowledged;
  }

  private static Map<String, String> labels() {
    Map<String, String> labels = new HashMap<>();
    for (ImageInfo image : hosts.allImages(ThreeHosts.MAIN)) {
      labels.put(image.userData().path("label").asText(), image.imageId());
    }
    return labels;
  }

  private static void throttle(long bytesPerSecond) {
    hosts.cluster().hosts().forEach(host -> hosts.of(host).setThrottle(bytesPerSecond));
  }
}
