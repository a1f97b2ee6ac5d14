package io.quarry.it.bench;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.agent.dev.LocalCluster;
import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.CreateSnapshotRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.client.StorageClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** copyImage from call to optimized, in turns with the tools that copy a file. */
final class ImageCopyBench {
  private static final int ROUNDS = 5;
  private static final String FROM = "from";
  private static final String TO = "to";

  private final Path directory;
  private final String filesystem;
  private final long size;
  private final Consumer<Measured> figures;

  ImageCopyBench(Path directory, String filesystem, long size, Consumer<Measured> figures) {
    this.directory = directory;
    this.filesystem = filesystem;
    this.size = size;
    this.figures = figures;
  }

  void run() throws Exception {
    Files.createDirectories(directory.resolve(FROM));
    Files.createDirectories(directory.resolve(TO));
    Path image = directory.resolve("source.raw");
    BenchImage.write(image, size);
    try (LocalCluster cluster =
            LocalCluster.start(LocalClusterOptions.in(directory.resolve("hosts")).withHosts(1));
        StorageClient client = new StorageClient(List.of(cluster.host(0).url()))) {
      cluster.awaitReady(Duration.ofMinutes(1));
      for (String repoId : List.of(FROM, TO)) {
        client.createStorageRepository(
            new ConnectRequest(
                repoId, "localfs-1.0", Map.of("path", directory.resolve(repoId).toString())));
      }
      Filled raw = fill(client, image, null);
      String base = snapshotOfEmpty(client);
      Filled qcow2 = fill(client, image, base);
      compare(client, raw, "raw→raw", "raw", true);
      compare(client, qcow2, "qcow2→raw", "qcow2", false);
    }
  }

  /** A snapshot with the image's content, and the file that holds it. */
  private record Filled(String snapshotId, Path file) {}

  private Filled fill(StorageClient client, Path image, @Nullable String base) throws Exception {
    String disk = disk(client, base);
    OpenedImage opened = client.openImage(FROM, disk, new OpenRequest(false, "bench"), null);
    Tool.nanos(
        "qemu-img",
        "convert",
        "-n",
        "-f",
        "raw",
        "-O",
        opened.format().label(),
        image.toString(),
        opened.path());
    Tool.nanos("sync", opened.path());
    client.closeImage(FROM, disk, opened.openId(), null);
    return new Filled(snapshot(client, disk), Path.of(opened.path()));
  }

  private String snapshotOfEmpty(StorageClient client) {
    return snapshot(client, disk(client, null));
  }

  private String disk(StorageClient client, @Nullable String base) {
    String disk =
        client
            .createVirtualDisk(
                FROM,
                new CreateVirtualDiskRequest(
                    size, base, JsonNodeFactory.instance.objectNode(), ImageOptions.DEFAULT),
                null)
            .imageId();
    Bench.awaitOptimized(client, FROM, disk);
    return disk;
  }

  private static String snapshot(StorageClient client, String disk) {
    return client
        .createSnapshot(
            FROM,
            new CreateSnapshotRequest(
                disk, JsonNodeFactory.instance.objectNode(), ImageOptions.DEFAULT),
            null)
        .imageId();
  }

  private void compare(
      StorageClient client, Filled source, String name, String format, boolean withCp)
      throws Exception {
    long[] quarry = new long[ROUNDS];
    long[] convert = new long[ROUNDS];
    long[] copied = new long[ROUNDS];
    Path out = directory.resolve("peer.raw");
    for (int round = 0; round < ROUNDS; round++) {
      Tool.nanos("sync");
      quarry[round] = copy(client, source.snapshotId());
      Tool.nanos("sync");
      convert[round] = convert(source.file(), format, out);
      if (withCp) {
        Tool.nanos("sync");
        copied[round] = cp(source.file(), out);
      }
    }
    figures.accept(
        Measured.ratio(
            "copyImage %s, %d GiB, %s".formatted(name, size >> 30, filesystem),
            median(quarry),
            "s",
            "qemu-img convert -t none -T none",
            median(convert),
            1.10));
    if (withCp) {
      figures.accept(
          Measured.ratio(
              "copyImage %s, %d GiB, %s".formatted(name, size >> 30, filesystem),
              median(quarry),
              "s",
              "cp --sparse=always + sync",
              median(copied),
              1.0));
    }
  }

  private static long copy(StorageClient client, String snapshotId) {
    long start = System.nanoTime();
    client.copyImage(
        TO,
        new CopyImageRequest(
            snapshotId, null, JsonNodeFactory.instance.objectNode(), ImageOptions.DEFAULT),
        null);
    Bench.awaitOptimized(client, TO, snapshotId);
    long nanos = System.nanoTime() - start;
    client.removeImage(TO, snapshotId, RemoveImageOptions.DEFAULT, null);
    while (!client.checkStorageRepository(TO, CheckOptions.DEFAULT).fixes().isEmpty()) {
      Thread.onSpinWait();
    }
    return nanos;
  }

  private static long convert(Path from, String format, Path to)
      throws IOException, InterruptedException {
    Files.deleteIfExists(to);
    long nanos =
        Tool.nanos(
            "qemu-img",
            "convert",
            "-t",
            "none",
            "-T",
            "none",
            "-f",
            format,
            "-O",
            "raw",
            from.toString(),
            to.toString());
    Files.deleteIfExists(to);
    return nanos;
  }

  private static long cp(Path from, Path to) throws IOException, InterruptedException {
    Files.deleteIfExists(to);
    long nanos =
        Tool.nanos("cp", "--sparse=always", from.toString(), to.toString())
            + Tool.nanos("sync", to.toString());
    Files.deleteIfExists(to);
    return nanos;
  }

  private static double median(long[] nanos) {
    long[] sorted = nanos.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2] / 1e9;
  }
}
