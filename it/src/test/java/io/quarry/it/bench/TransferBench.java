package io.quarry.it.bench;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.agent.dev.LocalCluster;
import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.client.StorageClient;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;

/**
 * Uploads, downloads and deep checks by the command line, as a process of its own. These commands
 * take turns with tools that do equal work on the same file. Each peer of a transfer at least
 * computes a digest.
 */
final class TransferBench {
  private static final int ROUNDS = 3;
  private static final long SIZE = 1L << 30;
  private static final int PIECE = 4 << 20;
  private static final String REPO = "main";

  private final Path directory;
  private final Consumer<Measured> figures;
  private final Path raw;
  private final Path qcow2;
  private final Path out;
  private String agent = "";

  TransferBench(Path directory, Consumer<Measured> figures) {
    this.directory = directory;
    this.figures = figures;
    this.raw = directory.resolve("source.raw");
    this.qcow2 = directory.resolve("source.qcow2");
    this.out = directory.resolve("out.raw");
  }

  void run() throws Exception {
    Path repository = Files.createDirectories(directory.resolve(REPO));
    write();
    Tool.nanos("qemu-img", "convert", "-O", "qcow2", raw.toString(), qcow2.toString());
    LocalClusterOptions options =
        LocalClusterOptions.in(directory.resolve("hosts")).withHosts(1).withWholeCompiler();
    try (LocalCluster cluster = LocalCluster.start(options);
        StorageClient client = new StorageClient(List.of(cluster.host(0).url()))) {
      cluster.awaitReady(Duration.ofMinutes(1));
      agent = cluster.host(0).url().toString();
      client.createStorageRepository(
          new ConnectRequest(REPO, "localfs-1.0", Map.of("path", repository.toString())));
      compare(disk(client), disk(client));
    }
  }

  private void write() throws Exception {
    Random random = new Random(12);
    byte[] piece = new byte[PIECE];
    try (RandomAccessFile file = new RandomAccessFile(raw.toFile(), "rw")) {
      for (long at = 0; at < SIZE; at += PIECE) {
        random.nextBytes(piece);
        file.write(piece);
      }
      file.getFD().sync();
    }
  }

  private static String disk(StorageClient client) {
    String disk =
        client
            .createVirtualDisk(
                REPO,
                new CreateVirtualDiskRequest(
                    SIZE, null, JsonNodeFactory.instance.objectNode(), ImageOptions.DEFAULT),
                null)
            .imageId();
    Bench.awaitOptimized(client, REPO, disk);
    return disk;
  }

  private void compare(String disk, String converted) throws Exception {
    double[] slower = new double[ROUNDS];
    double[] converting = new double[ROUNDS];
    double[] reading = new double[ROUNDS];
    double[] upload = new double[ROUNDS];
    double[] download = new double[ROUNDS];
    double[] qcow2Upload = new double[ROUNDS];
    double[] deep = new double[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
      double digest = seconds("sha256sum", raw.toString());
      double copy =
          seconds("cp", "--sparse=always", raw.toString(), out.toString())
              + seconds("sync", out.toString());
      slower[round] = Math.max(digest, copy);
      upload[round] = quarry("image", "upload", REPO, disk, raw.toString());
      Files.delete(out);
      download[round] = quarry("image", "download", REPO, disk, out.toString());
      Files.delete(out);
      converting[round] =
          seconds("qemu-img", "convert", "-O", "raw", qcow2.toString(), out.toString())
              + seconds("sync", out.toString())
              + seconds("sha256sum", qcow2.toString());
      qcow2Upload[round] = quarry("image", "upload", REPO, converted, qcow2.toString());
      reading[round] =
          seconds("sh", "-c", "cat '" + directory.resolve(REPO) + "'/volumes/* > /dev/null");
      deep[round] = quarry("check", REPO, "--deep");
      Files.delete(out);
    }
    add("image upload, 1 GiB raw", upload, "sha256sum or cp + sync", slower, 1.5);
    add("image download, 1 GiB raw", download, "sha256sum or cp + sync", slower, 1.5);
    add(
        "image upload, 1 GiB qcow2",
        qcow2Upload,
        "qemu-img convert + sync + sha256sum",
        converting,
        2);
    add("check --deep, 2 GiB", deep, "reading the same bytes", reading, 1.5);
  }

  private void add(String name, double[] ours, String peer, double[] theirs, double goal) {
    figures.accept(Measured.ratio(name, median(ours), "s", peer, median(theirs), goal));
  }

  /** Runs the whole command, including the start of its JVM. */
  private double quarry(String... words) throws Exception {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String[] command = {
      java,
      "--enable-native-access=ALL-UNNAMED",
      "--sun-misc-unsafe-memory-access=allow",
      "-XX:+UseSerialGC",
      "-cp",
      System.getProperty("java.class.path"),
      "io.quarry.agent.cli.Main",
      "--agent",
      agent
    };
    String[] all = Arrays.copyOf(command, command.length + words.length);
    System.arraycopy(words, 0, all, command.length, words.length);
    return seconds(all);
  }

  private static double seconds(String... command) throws Exception {
    return Tool.nanos(command) / 1e9;
  }

  private static double median(double[] seconds) {
    double[] sorted = seconds.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
