package io.quarry.agent.demo;

import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.qemu.QemuImg;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/** The programs that an engine or a guest would use. */
final class DemoTools {
  private static final Duration DEADLINE = Duration.ofMinutes(10);
  private static final List<Path> SYSTEM = List.of(Path.of("/usr/sbin"), Path.of("/sbin"));

  private final Children children;
  private final QemuImg qemuImg;

  DemoTools(Children children) {
    this.children = children;
    this.qemuImg = new QemuImg(children);
  }

  QemuImg qemuImg() {
    return qemuImg;
  }

  /** Makes an ext4 filesystem with the directory's content. */
  void makeFilesystem(Path content, Path image, long bytes)
      throws IOException, InterruptedException {
    run(
        program("mke2fs"),
        "-q",
        "-F",
        "-t",
        "ext4",
        "-m",
        "0",
        "-d",
        content.toString(),
        image.toString(),
        bytes / 1024 + "k");
  }

  /** Writes an image over another existing one, and flushes. */
  void writeOver(Path source, VolumeFormat sourceFormat, Path target, VolumeFormat targetFormat)
      throws IOException, InterruptedException {
    run(
        "qemu-img",
        "convert",
        "-n",
        "-t",
        "writeback",
        "-f",
        sourceFormat.label(),
        "-O",
        targetFormat.label(),
        source.toString(),
        target.toString());
  }

  /** Makes a raw image from an image of any format. */
  void toRaw(Path source, VolumeFormat format, Path target)
      throws IOException, InterruptedException {
    run(
        "qemu-img",
        "convert",
        "-f",
        format.label(),
        "-O",
        "raw",
        source.toString(),
        target.toString());
  }

  private void run(String... command) throws IOException, InterruptedException {
    children.run(List.of(command), DEADLINE).orFail();
  }

  /** A user's path may lack the administrator's programs. */
  static String program(String name) throws IOException {
    String path = System.getenv().getOrDefault("PATH", "");
    return Stream.concat(Stream.of(path.split(":", -1)).map(Path::of), SYSTEM.stream())
        .map(place -> place.resolve(name))
        .filter(Files::isExecutable)
        .findFirst()
        .map(Path::toString)
        .orElseThrow(() -> new IOException(name + " is not installed"));
  }
}
