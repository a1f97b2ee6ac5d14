package io.quarry.it.bench;

import io.quarry.agent.data.CopyControl;
import io.quarry.agent.data.ImageCopy;
import io.quarry.agent.data.NbdSource;
import io.quarry.agent.data.Source;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Full copies of one disk image, by Quarry, cp and qemu-img in turns, so that other load affects
 * all of them. Sources are cached, and every copy ends when its target is durable. The first turn
 * warms up and does not count.
 */
public final class CopyBench {
  private static final long MIB = 1 << 20;
  private static final long IMAGE_BYTES = 2048 * MIB;
  private static final int TURNS = 5;
  private static final Duration TOOL_DEADLINE = Duration.ofMinutes(30);

  private final Path dir;
  private final Children children = new Children(new Spawner(), "bench");
  private final Map<String, List<Duration>> durations = new LinkedHashMap<>();

  private CopyBench(Path dir) {
    this.dir = dir;
  }

  /** One copy, from its beginning to a durable target. */
  private interface Copy {
    void run(Path target) throws IOException, InterruptedException;
  }

  /** Takes the working directory, for example one on XFS. */
  public static void main(String[] args) throws Exception {
    Path parent = Path.of(args.length > 0 ? args[0] : System.getProperty("java.io.tmpdir"));
    Map<String, Duration> medians = measure(parent, TURNS);
    medians.forEach((name, median) -> System.out.printf("%-32s %6d ms%n", name, median.toMillis()));
  }

  /** The median of each kind of copy, by its name. */
  public static Map<String, Duration> measure(Path parent, int turns)
      throws IOException, InterruptedException {
    Path dir = Files.createTempDirectory(parent, "copy-bench");
    CopyBench bench = new CopyBench(dir);
    try {
      return bench.run(turns);
    } finally {
      bench.children.stopAll(Duration.ofSeconds(20));
      try (var files = Files.newDirectoryStream(dir)) {
        for (Path file : files) {
          Files.delete(file);
        }
      }
      Files.delete(dir);
    }
  }

  private Map<String, Duration> run(int turns) throws IOException, InterruptedException {
    Path raw = makeImage(dir.resolve("source.raw"));
    Path qcow2 = dir.resolve("source.qcow2");
    tool("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw.toString(), qcow2.toString());
    for (int turn = 0; turn <= turns; turn++) {
      measure("raw: quarry", target -> ours(raw, VolumeFormat.RAW, target));
      measure("raw: cp and sync", target -> cp(raw, target));
      measure("raw: qemu-img convert", target -> convert("raw", raw, target));
      measure("qcow2: quarry", target -> ours(qcow2, VolumeFormat.QCOW2, target));
      measure("qcow2: quarry, all over NBD", target -> overNbd(qcow2, target));
      measure("qcow2: qemu-img convert", target -> convert("qcow2", qcow2, target));
    }
    Map<String, Duration> medians = new LinkedHashMap<>();
    durations.forEach((name, list) -> medians.put(name, median(list.subList(1, list.size()))));
    return medians;
  }

  private void measure(String name, Copy copy) throws IOException, InterruptedException {
    Path target = dir.resolve("target");
    long start = System.nanoTime();
    copy.run(target);
    Duration duration = Duration.ofNanos(System.nanoTime() - start);
    durations.computeIfAbsent(name, key -> new ArrayList<>()).add(duration);
    Files.delete(target);
  }

  private void ours(Path file, VolumeFormat format, Path target)
      throws IOException, InterruptedException {
    try (Source source = ImageCopy.open(children, dir, file, format)) {
      ImageCopy.toRaw(source, target, new CopyControl());
    }
  }

  private void overNbd(Path file, Path target) throws IOException, InterruptedException {
    try (Source source = NbdSource.open(children, dir, Chain.of(file, VolumeFormat.QCOW2))) {
      ImageCopy.toRaw(source, target, new CopyControl());
    }
  }

  private void cp(Path file, Path target) throws IOException, InterruptedException {
    tool("cp", "--sparse=always", "--reflink=never", file.toString(), target.toString());
    tool("sync", target.toString());
  }

  private void convert(String format, Path file, Path target)
      throws IOException, InterruptedException {
    tool(
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
        file.toString(),
        target.toString());
  }

  private void tool(String... command) throws IOException, InterruptedException {
    children.run(List.of(command), TOOL_DEADLINE).orFail();
  }

  private static Duration median(List<Duration> durations) {
    List<Duration> sorted = new ArrayList<>(durations);
    Collections.sort(sorted);
    return sorted.get(sorted.size() / 2);
  }

  /**
   * Six parts data, one part written zeros and three parts holes, in pieces of 64 KiB to 32 MiB.
   */
  private static Path makeImage(Path file) throws IOException {
    Random random = new Random(7);
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      long at = 0;
      while (at < IMAGE_BYTES) {
        int length = (int) Math.min(IMAGE_BYTES - at, (64 << 10) << random.nextInt(10));
        int part = random.nextInt(10);
        byte[] bytes = new byte[length];
        if (part < 6) {
          random.nextBytes(bytes);
        }
        if (part < 7 || at + length == IMAGE_BYTES) {
          ByteBuffer buffer = ByteBuffer.wrap(bytes);
          while (buffer.hasRemaining()) {
            at += out.write(buffer, at);
          }
        } else {
          at += length;
        }
      }
      out.force(true);
    }
    return file;
  }
}
