package io.quarry.it.failover;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.agent.dev.LocalHost;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.cluster.ClusterConnection;
import io.quarry.coordinator.cluster.FixQueue;
import io.quarry.coordinator.thread.Supervisor;
import io.quarry.it.box.Box;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Commits and a copy while ZooKeeper is down, and a long queue after ZooKeeper lost its data. */
final class ZooKeeperFigures {
  private static final Duration SESSION = Duration.ofSeconds(6);
  private static final Duration DOWN = Duration.ofSeconds(60);
  private static final Duration CALL_MAX = Duration.ofSeconds(5);
  private static final Duration POLL = Duration.ofMillis(20);
  private static final int ROUNDS = 5;
  private static final int FIXES = 10_000;
  private static final int CALLERS = 32;
  private static final SourceImage SOURCE = new SourceImage(8);
  private static final SourceImage BASE = new SourceImage(1);
  private static final long DISK_BYTES = 1 << 20;
  private static final long COPY_BYTES_PER_SECOND = 2 << 20;

  private final Figures figures;
  private final Path directory;

  ZooKeeperFigures(Figures figures, Path directory) {
    this.figures = figures;
    this.directory = directory;
  }

  void measure() throws Exception {
    down(directory.resolve("down"));
    wiped(directory.resolve("wiped"));
  }

  private void down(Path at) throws Exception {
    try (ThreeHosts hosts = ThreeHosts.start(at, SESSION, COPY_BYTES_PER_SECOND)) {
      Copies copies = new Copies(hosts);
      String source = hosts.diskWith(SOURCE);
      CreatedImage copy = hosts.startCopy(source);
      String fix = copies.fixOf(copy.imageId());
      TaskInfo before =
          copies.await(fix, hosts.cluster().hosts(), task -> Copies.checkpoint(task) > 0);
      LocalHost sdm =
          hosts.named(ThreeHosts.sdm(hosts.everywhere(), ThreeHosts.MAIN).orElseThrow());
      hosts.cluster().zooKeeper().kill();
      Distribution commits = new Distribution();
      int refused = commit(hosts, sdm, commits);
      TaskInfo after = copies.await(fix, List.of(hosts.named(before.hostId())), any -> true);
      boolean wentOn =
          after.epoch() == before.epoch() && Copies.checkpoint(after) > Copies.checkpoint(before);
      hosts.cluster().zooKeeper().start();
      hosts.awaitWhole();
      hosts.cluster().hosts().forEach(host -> hosts.of(host).setThrottle(0));
      hosts.awaitOptimized(ThreeHosts.BACKUP, copy.imageId(), copy.commit());
      copies.assertEqual(source, copy.imageId(), SOURCE);
      figures.add(
          "ZooKeeper down for %d s".formatted(DOWN.toSeconds()),
          "running fixes 0 failures, the SDM goes on committing",
          "%s committed, %d refused; the copy %s"
              .formatted(commits, refused, wentOn ? "went on in its epoch" : "did not go on"),
          refused == 0 && wentOn);
    }
  }

  /** Makes one commit after the other; returns how many were refused. */
  private static int commit(ThreeHosts hosts, LocalHost sdm, Distribution commits) {
    int refused = 0;
    long end = System.nanoTime() + DOWN.toNanos();
    try (StorageClient client = hosts.clientWithin(CALL_MAX, List.of(sdm))) {
      for (int number = 0; System.nanoTime() < end; number++) {
        long began = System.nanoTime();
        try {
          var _ = ThreeHosts.createDisk(client, ThreeHosts.MAIN, DISK_BYTES, "down-" + number);
          commits.add(Duration.ofNanos(System.nanoTime() - began));
        } catch (StorageException e) {
          refused++;
        }
      }
    }
    return refused;
  }

  /** Overlays wait to become volumes of their own, and a throttle keeps the copies from ending. */
  private void wiped(Path at) throws Exception {
    try (ThreeHosts hosts = ThreeHosts.start(at, SESSION, 1)) {
      StorageClient client = hosts.everywhere();
      make(client, Box.snapshot(client, ThreeHosts.MAIN, hosts.diskWith(BASE)).imageId());
      String key =
          Json.MAPPER
              .readTree(at.resolve(ThreeHosts.MAIN).resolve("repository.json").toFile())
              .get("key")
              .asText();
      Distribution filled = new Distribution();
      try (ClusterConnection cluster =
              ClusterConnection.open(hosts.cluster().connectString(), SESSION, new Supervisor());
          FixQueue queue = new FixQueue(cluster, key, Clock.systemUTC(), ZooKeeperFigures::id)) {
        queue.start();
        awaitFull(queue);
        for (int round = 0; round < ROUNDS; round++) {
          hosts.cluster().zooKeeper().kill();
          hosts.cluster().zooKeeper().wipe();
          hosts.cluster().zooKeeper().start();
          long back = System.nanoTime();
          awaitFull(queue);
          filled.add(Duration.ofNanos(System.nanoTime() - back));
          hosts.awaitWhole();
        }
      }
      figures.add(
          "ZooKeeper wiped with %,d fixes to do → its queue is full again".formatted(FIXES),
          "≤ 5 s",
          "%s (%d entries at a time, the others follow)"
              .formatted(filled, FixQueue.QUEUED_FIXES_MAX),
          filled.percentile(100).toSeconds() < 5);
    }
  }

  private static String id() {
    return UUID.randomUUID().toString().replace("-", "");
  }

  private static void awaitFull(FixQueue queue) {
    await()
        .atMost(ThreeHosts.PATIENCE)
        .pollInterval(POLL)
        .until(() -> queue.current() && queue.entries().size() >= FixQueue.QUEUED_FIXES_MAX);
  }

  private static void make(StorageClient client, String snapshot) throws Exception {
    try (ExecutorService callers = Executors.newFixedThreadPool(CALLERS)) {
      List<Future<CreatedImage>> all =
          callers.invokeAll(
              Collections.nCopies(
                  FIXES,
                  () ->
                      client.createVirtualDisk(
                          ThreeHosts.MAIN,
                          new CreateVirtualDiskRequest(
                              BASE.size(),
                              snapshot,
                              JsonNodeFactory.instance.objectNode(),
                              new ImageOptions(true, Strategy.PERFORMANCE, null, Map.of())),
                          null)));
      for (Future<CreatedImage> one : all) {
        var _ = one.get();
      }
    }
  }
}
