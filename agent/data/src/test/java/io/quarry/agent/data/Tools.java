package io.quarry.agent.data;

import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.data.qemu.ChainLink;
import io.quarry.agent.data.qemu.QemuImg;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Real tools, in the form that tests need. */
public final class Tools {
  private static final Duration DEADLINE = Duration.ofMinutes(5);

  private final Children children;

  public Tools(Children children) {
    this.children = children;
  }

  public String run(String... command) throws IOException, InterruptedException {
    return children.run(List.of(command), DEADLINE).orFail().stdout();
  }

  /** An image and the images below it, as the files name them. */
  public Chain chain(Path top) throws IOException, InterruptedException {
    return new Chain(
        new QemuImg(children)
            .chain(top, VolumeFormat.QCOW2).stream().map(ChainLink::layer).toList());
  }

  /** Writes and reads like a guest, by qemu-io: {@code write -P 7 0 64k} and the like. */
  public void io(Path image, String format, String... commands)
      throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of("qemu-io", "-f", format));
    for (String command : commands) {
      words.addAll(List.of("-c", command));
    }
    words.add(image.toString());
    String output = children.run(words, DEADLINE).orFail().stdout();
    if (output.contains("failed")) {
      throw new IOException(image + ": " + output);
    }
  }

  /**
   * Makes a raw base and two overlays on it, each with writes of its own. Some writes cross
   * clusters, some are zeros over data, and the middle overlay has compressed clusters.
   *
   * @return the top
   */
  public Path chainOfThree(Path dir, long baseSize, long topSize, long seed)
      throws IOException, InterruptedException {
    DiskImages.random(dir.resolve("base.raw"), baseSize, seed);
    Path middle = dir.resolve("middle.qcow2");
    Path top = dir.resolve("top.qcow2");
    overlay(middle, "base.raw", "raw", baseSize);
    io(
        middle,
        "qcow2",
        "write -P 17 100k 300k",
        "write -c -P 18 1M 64k",
        "write -z 2M 192k",
        "write -P 19 3M 1M");
    overlay(top, "middle.qcow2", "qcow2", topSize);
    io(
        top,
        "qcow2",
        "write -P 33 130k 1k",
        "write -z 3200k 128k",
        "write -P 34 " + (baseSize - 4096) + " 4096",
        "write -P 35 " + (topSize - 65536) + " 512");
    return top;
  }

  private void overlay(Path overlay, String backing, String format, long size)
      throws IOException, InterruptedException {
    run(
        "qemu-img",
        "create",
        "-q",
        "-f",
        "qcow2",
        "-b",
        backing,
        "-F",
        format,
        overlay.toString(),
        Long.toString(size));
  }
}
