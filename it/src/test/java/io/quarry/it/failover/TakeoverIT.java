package io.quarry.it.failover;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.dev.EmbeddedZooKeeper;
import io.quarry.agent.dev.LocalHost;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.client.StorageClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Another host continues a killed agent's work, long before the agent's session would end. With
 * workers that ignored checkpoints the copy would fail at the first kill: epoch 2 would start from
 * byte 0.
 */
@Timeout(600)
@SuppressWarnings("SystemOut")
final class TakeoverIT {
  /** A takeover within half of this time is not the end of the session. */
  private static final Duration SESSION = EmbeddedZooKeeper.SESSION_TIMEOUT_MAX;

  private static final int COPY_KILLS = Integer.getInteger("quarry.it.kills", 20);
  private static final SourceImage SOURCE = new SourceImage(2 * COPY_KILLS);

  /** So slow that a copy stands still until the test lets it continue. */
  private static final long SLOW = 256 << 10;

  private static final long FAST = 48 << 20;

  private static final int SDM_KILLS = COPY_KILLS / 2;
  private static final long SMALL_DISK_BYTES = 1 << 20;

  @TempDir static Path directory;

  private static ThreeHosts hosts;

  @BeforeAll
  static void start() throws Exception {
    hosts = ThreeHosts.start(directory, SESSION, SLOW);
  }

  @AfterAll
  static void stop() {
    if (hosts != null) {
      hosts.close();
    }
  }

  @BeforeEach
  void slowDown() {
    hosts.awaitWhole();
    hosts.cluster().hosts().forEach(host -> hosts.of(host).setThrottle(SLOW));
  }

  @Test
  void copyGoesOnFromTheCheckpointAfterEachKill() throws Exception {
    Copies copies = new Copies(hosts);
    String source = hosts.diskWith(SOURCE);
    CreatedImage copy = hosts.startCopy(source);
    String fix = copies.fixOf(copy.imageId());
    TaskInfo task = copies.await(fix, hosts.cluster().hosts(), any -> Copies.checkpoint(any) >= 0);
    Distribution takeovers = new Distribution();
    WrittenBytes written = new WrittenBytes();
    for (int kill = 0; kill < COPY_KILLS; kill++) {
      hosts.awaitWhole();
      LocalHost victim = hosts.named(task.hostId());
      hosts.of(victim).setThrottle(FAST);
      long epoch = task.epoch();
      long from = Copies.checkpoint(task);
      TaskInfo last =
          copies.await(
              fix, List.of(victim), now -> now.epoch() == epoch && Copies.checkpoint(now) > from);
      written.look(victim);
      // The throttle outlives the agent.
      hosts.of(victim).setThrottle(SLOW);

      long killed = System.nanoTime();
      victim.killAgent();
      copies.await(fix, hosts.allBut(victim), now -> now.epoch() > epoch);
      takeovers.add(Duration.ofNanos(System.nanoTime() - killed));

      task =
          copies.await(
              fix, hosts.allBut(victim), now -> now.epoch() > epoch && Copies.checkpoint(now) >= 0);
      assertThat(Copies.checkpoint(task))
          .as("start of epoch %d after %s", task.epoch(), last)
          .isGreaterThanOrEqualTo(Copies.checkpoint(last))
          .isPositive();
    }
    for (LocalHost host : hosts.cluster().hosts()) {
      host.awaitReady(ThreeHosts.PATIENCE);
      hosts.of(host).setThrottle(0);
    }
    hosts.awaitOptimized(ThreeHosts.BACKUP, copy.imageId(), copy.commit());
    for (LocalHost host : hosts.cluster().hosts()) {
      written.look(host);
    }
    System.out.printf("Takeover of a copy after SIGKILL: %s%n", takeovers);
    System.out.printf(
        "Written for a copy of %d MiB with %d kills: %d MiB%n",
        SOURCE.dataBytes() >> 20, COPY_KILLS, written.sum() >> 20);
    copies.assertEqual(source, copy.imageId(), SOURCE);
    assertThat(written.sum() - SOURCE.dataBytes())
        .as("bytes copied twice")
        .isLessThan(2L * COPY_KILLS * SourceImage.STRETCH_DATA_BYTES);
    assertThat(takeovers.percentile(100)).isLessThan(SESSION.dividedBy(2));
  }

  @Test
  void commitsGoOnAfterTheSdmIsKilled() throws Exception {
    Distribution commits = new Distribution();
    for (int kill = 0; kill < SDM_KILLS; kill++) {
      hosts.awaitWhole();
      String sdm = ThreeHosts.sdm(hosts.everywhere(), ThreeHosts.MAIN).orElseThrow();
      LocalHost victim = hosts.named(sdm);
      StorageClient other = hosts.of(hosts.allBut(victim).get(kill % 2));
      // Opens connections and loads classes, for which a first call would have to wait.
      ThreeHosts.createDisk(other, ThreeHosts.MAIN, SMALL_DISK_BYTES, "before-" + kill);

      long killed = System.nanoTime();
      victim.killAgent();
      CreatedImage created =
          ThreeHosts.createDisk(other, ThreeHosts.MAIN, SMALL_DISK_BYTES, "after-" + kill);
      commits.add(Duration.ofNanos(System.nanoTime() - killed));
      hosts.awaitOptimized(ThreeHosts.MAIN, created.imageId(), created.commit());
    }
    System.out.printf("Next commit after SIGKILL of the SDM: %s%n", commits);
    assertThat(hosts.allImages(ThreeHosts.MAIN))
        .filteredOn(image -> image.size() == SMALL_DISK_BYTES)
        .hasSize(2 * SDM_KILLS);
    assertThat(commits.percentile(100)).isLessThan(SESSION.dividedBy(2));
  }
}
