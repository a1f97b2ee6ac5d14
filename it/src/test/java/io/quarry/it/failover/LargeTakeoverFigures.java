package io.quarry.it.failover;

import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.dev.LocalHost;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.agent.storage.directory.LocalfsFormat;
import io.quarry.common.client.StorageClient;
import io.quarry.it.bench.LargeLog;
import io.quarry.it.box.Box;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * How soon a repository of 100,000 images has another SDM. One candidate has followed the log; the
 * other one was just started and has no replica.
 */
final class LargeTakeoverFigures {
  private static final String GOAL = "≤ 2 s";
  private static final Duration SESSION = Duration.ofSeconds(15);
  private static final int WARM_KILLS = 20;
  private static final int COLD_STARTS = 20;
  private static final long DISK_BYTES = 1 << 20;

  private final Figures figures;
  private final Path directory;

  LargeTakeoverFigures(Figures figures, Path directory) {
    this.figures = figures;
    this.directory = directory;
  }

  void measure() throws Exception {
    warm(directory.resolve("warm"));
    cold(directory.resolve("installed"), "as ./quarry agent starts it");
    cold(
        directory.resolve("cold"), "512 MB of heap, quick compiler alone", ThreeHosts.JAVA_OPTIONS);
    String[] small = {"-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"};
    cold(directory.resolve("small"), "256 MB of heap, quick compiler alone", small);
  }

  private static void fill(Path repository) throws Exception {
    Files.createDirectories(repository);
    try (RepositoryStorage storage =
        new LocalfsFormat().connect(Map.of("path", repository.toString()), true, "figures")) {
      var _ = LargeLog.fill(storage.slots());
    }
  }

  private void warm(Path at) throws Exception {
    fill(at.resolve(ThreeHosts.MAIN));
    Distribution commits = new Distribution();
    try (ThreeHosts hosts = ThreeHosts.start(at, SESSION, 0)) {
      for (int kill = 0; kill < WARM_KILLS; kill++) {
        hosts.awaitWhole();
        LocalHost victim =
            hosts.named(ThreeHosts.sdm(hosts.everywhere(), ThreeHosts.MAIN).orElseThrow());
        List<LocalHost> others = hosts.allBut(victim);
        StorageClient other = hosts.of(others.get(kill % others.size()));
        ThreeHosts.createDisk(other, ThreeHosts.MAIN, DISK_BYTES, "before-" + kill);
        long killed = System.nanoTime();
        victim.killAgent();
        ThreeHosts.createDisk(other, ThreeHosts.MAIN, DISK_BYTES, "after-" + kill);
        commits.add(Duration.ofNanos(System.nanoTime() - killed));
      }
    }
    figures.add(
        "takeover of 100,000 images by a host that follows the log",
        GOAL,
        commits.toString(),
        commits.percentile(100).toMillis() <= 2000);
  }

  /**
   * Measures from the call that connects the repository to the first commit, by a JVM that has just
   * started.
   */
  private void cold(Path at, String what, String... javaOptions) throws Exception {
    Distribution connects = new Distribution();
    Distribution commits = new Distribution();
    LocalClusterOptions options =
        LocalClusterOptions.in(at)
            .withJavaOptions(javaOptions)
            .withGuardianArguments("--restart-pause-max", "PT0.2S");
    try (Box box = Box.startWithZooKeeperProcess(options)) {
      fill(box.repository(ThreeHosts.MAIN));
      StorageClient client = box.client(0);
      for (int start = 0; start < COLD_STARTS; start++) {
        box.host(0).killAgent();
        box.host(0).awaitReady(Box.PATIENCE);
        long began = System.nanoTime();
        box.connect(ThreeHosts.MAIN, 0);
        connects.add(Duration.ofNanos(System.nanoTime() - began));
        var _ = Box.disk(client, ThreeHosts.MAIN, DISK_BYTES);
        commits.add(Duration.ofNanos(System.nanoTime() - began));
      }
    }
    figures.add(
        "takeover of 100,000 images by an agent that was just started (" + what + ")",
        GOAL,
        "%s; connected: %s".formatted(commits, connects),
        commits.percentile(99).toMillis() <= 2000);
  }
}
