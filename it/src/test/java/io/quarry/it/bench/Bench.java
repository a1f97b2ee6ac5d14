package io.quarry.it.bench;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.agent.dev.LocalCluster;
import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.Json;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Strategy;
import io.quarry.it.log.SharedLog;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;

/**
 * {@code ./verify bench}: prints a table and writes {@code target/bench.json}. Ratios compare with
 * a peer in the same run, and are more reliable than absolute figures. An argument picks one part:
 * {@code commits}, {@code copies}, {@code transfers}, {@code log} or {@code blocks}.
 */
public final class Bench {
  private static final long DISK_BYTES = 1 << 20;
  private static final int SINGLE_COMMITS = 400;
  private static final int BLOCK_COMMITS = 4_000;
  private static final long SECONDS = 8;

  private final Path directory;
  private final List<Measured> figures = new ArrayList<>();

  private Bench(Path directory) {
    this.directory = directory;
  }

  public static void main(String[] arguments) throws Exception {
    List<String> parts =
        arguments.length == 0
            ? List.of("commits", "copies", "transfers", "log", "blocks")
            : List.of(arguments);
    Path target = Path.of("target").toAbsolutePath();
    Path directory = Files.createTempDirectory(Files.createDirectories(target), "bench-");
    Bench bench = new Bench(directory);
    try {
      if (parts.contains("commits")) {
        bench.commits();
      }
      if (parts.contains("copies")) {
        bench.copies();
      }
      if (parts.contains("transfers")) {
        Path transfers = Files.createDirectories(directory.resolve("transfers"));
        new TransferBench(transfers, bench::add).run();
      }
      if (parts.contains("log")) {
        new LogBench(directory.resolve("log"), bench::add).run();
      }
      if (parts.contains("blocks")) {
        bench.blocks();
      }
    } finally {
      Tool.nanos("rm", "-rf", directory.toString());
    }
    bench.figures.forEach(figure -> System.out.println(figure.row()));
    Json.MAPPER
        .writerWithDefaultPrettyPrinter()
        .writeValue(target.resolve("bench.json").toFile(), bench.figures);
    System.out.println("written to " + target.resolve("bench.json"));
  }

  private void add(Measured figure) {
    figures.add(figure);
    System.out.println(figure.row());
  }

  private void commits() throws Exception {
    Path repository = Files.createDirectories(directory.resolve("commits"));
    try (LocalCluster cluster =
        LocalCluster.start(LocalClusterOptions.in(directory.resolve("cluster")).withHosts(3))) {
      cluster.awaitReady(Duration.ofMinutes(1));
      List<StorageClient> clients = new ArrayList<>();
      cluster.hosts().forEach(host -> clients.add(new StorageClient(List.of(host.url()))));
      for (StorageClient client : clients) {
        client.createStorageRepository(
            new ConnectRequest("main", "localfs-1.0", Map.of("path", repository.toString())));
      }
      StorageClient sdm = sdm(cluster, clients.getFirst());
      StorageClient other =
          clients.stream()
              .filter(client -> !client.agents().equals(sdm.agents()))
              .findFirst()
              .orElseThrow();
      Load.perSecond(8, SECONDS, () -> create(sdm, false));
      single(sdm, other);
      double bare = 1000 / BarePrimitive.run(directory.resolve("bare2"), 400).millis(0.5);
      double many = Load.perSecond(64, SECONDS, () -> create(sdm, false));
      add(Measured.atLeast("commits, 64 clients", many, "commits/s", 5_000));
      add(Measured.plain("  bare fsync+link, one after the other", bare, "1/s"));
      statusReads(sdm);
      cheapMends(sdm);
      clients.forEach(StorageClient::close);
    }
  }

  private void blocks() throws IOException {
    Path disk = directory.resolve("blocks.raw");
    SharedLog.makeDisk(disk);
    CommitLatency latency = BlockLatency.measure(disk, BLOCK_COMMITS);
    add(
        Measured.ratio(
            "commit latency p50, log on blocks, in a file",
            latency.commits().millis(0.5),
            "ms",
            "forced write of 4 KiB",
            latency.of(BlockLatency.BARE).millis(0.5),
            3));
    double operations = latency.of(BlockLatency.OPERATIONS).millis(0.5);
    add(Measured.plain("  its operations on the device alone", operations, "ms"));
  }

  /**
   * One client and the bare primitive take turns, so that both use the same disk under the same
   * load.
   */
  private void single(StorageClient sdm, StorageClient other) throws Exception {
    long[] viaSdm = new long[SINGLE_COMMITS];
    long[] viaOther = new long[SINGLE_COMMITS];
    List<Samples> bare = new ArrayList<>();
    int rounds = 4;
    int each = SINGLE_COMMITS / rounds;
    for (int round = 0; round < rounds; round++) {
      bare.add(BarePrimitive.run(directory.resolve("bare-" + round), each));
      for (int i = 0; i < each; i++) {
        long start = System.nanoTime();
        create(sdm, false);
        viaSdm[round * each + i] = System.nanoTime() - start;
      }
      for (int i = 0; i < each; i++) {
        long start = System.nanoTime();
        create(other, false);
        viaOther[round * each + i] = System.nanoTime() - start;
      }
    }
    double bareMillis =
        bare.stream().mapToDouble(samples -> samples.millis(0.5)).average().orElseThrow();
    add(
        Measured.ratio(
            "commit latency p50, 1 client at the SDM's host",
            Samples.of(viaSdm).millis(0.5),
            "ms",
            "bare fsync+link",
            bareMillis,
            3));
    add(
        Measured.plain(
            "  the same at another host: one call between agents more",
            Samples.of(viaOther).millis(0.5),
            "ms"));
  }

  private void statusReads(StorageClient sdm) throws Exception {
    String imageId = create(sdm, true);
    awaitOptimized(sdm, imageId);
    URI agent = sdm.agents().getFirst();
    try (StatusReads reads = new StatusReads(agent, "main", imageId)) {
      reads.perSecond(16, 3);
      add(
          Measured.atLeast(
              "status reads, 16 connections", reads.perSecond(16, SECONDS), "reads/s", 20_000));
    }
  }

  private void cheapMends(StorageClient sdm) throws Exception {
    long[] nanos = new long[200];
    for (int i = 0; i < nanos.length; i++) {
      long start = System.nanoTime();
      awaitOptimized(sdm, create(sdm, true));
      nanos[i] = System.nanoTime() - start;
    }
    add(
        Measured.atMost(
            "createVirtualDisk → optimized, p50", Samples.of(nanos).millis(0.5), "ms", 50));
    double rate = Load.perSecond(32, SECONDS, () -> awaitOptimized(sdm, create(sdm, true)));
    add(Measured.atLeast("createVirtualDisk → optimized, 32 clients", rate, "disks/s", 300));
  }

  private static String create(StorageClient client, boolean autoFix) {
    return client
        .createVirtualDisk(
            "main",
            new CreateVirtualDiskRequest(
                DISK_BYTES,
                null,
                JsonNodeFactory.instance.objectNode(),
                new ImageOptions(autoFix, Strategy.SPACE, null, Map.of())),
            null)
        .imageId();
  }

  static void awaitOptimized(StorageClient client, String imageId) {
    awaitOptimized(client, "main", imageId);
  }

  static void awaitOptimized(StorageClient client, String repoId, String imageId) {
    ImageState state;
    do {
      state =
          client
              .getImageStatus(
                  repoId, imageId, new StatusQuery(Duration.ofSeconds(30), ImageState.OPTIMIZED, 0))
              .state();
    } while (state != ImageState.OPTIMIZED);
  }

  /** The client of the SDM's host. */
  private static StorageClient sdm(LocalCluster cluster, StorageClient any) {
    while (true) {
      String hostId = any.getStorageRepository("main").sdmHostId();
      var host = cluster.hosts().stream().filter(one -> one.hostId().equals(hostId)).findFirst();
      if (host.isPresent()) {
        return new StorageClient(List.of(host.get().url()));
      }
      Thread.onSpinWait();
    }
  }

  private void copies() throws Exception {
    new ImageCopyBench(directory.resolve("here"), "ext4", 2L << 30, this::add).run();
    Path mount = Files.createDirectories(directory.resolve("xfs"));
    Path backing = directory.resolve("xfs.img");
    boolean mounted =
        Tool.works("truncate", "-s", "24G", backing.toString())
            && Tool.works("mkfs.xfs", "-q", backing.toString())
            && Tool.works("mount", "-o", "loop", backing.toString(), mount.toString());
    if (!mounted) {
      System.out.println("no loop-mounted XFS here: needs root and xfsprogs");
      return;
    }
    try {
      new ImageCopyBench(mount.resolve("bench"), "XFS", 4L << 30, this::add).run();
    } finally {
      // The agents' guardians may not have ended yet.
      Awaitility.await().until(() -> Tool.works("umount", mount.toString()));
    }
  }
}
