package io.quarry.agent.demo;

import io.quarry.agent.data.CopyPace;
import io.quarry.agent.data.process.ToolLimits;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.demo.RealFiles.Found;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The disk image that all images are compared with, always raw.
 *
 * @param dataBytes about how much of the disk is data
 */
record RealDisk(Path file, long size, long dataBytes) {
  Chain chain() {
    return Chain.of(file, VolumeFormat.RAW);
  }

  /** Blocks of zeros in the files become holes, so a GiB of data takes more than a GiB of files. */
  static final long DATA_BYTES = 1600L << 20;

  private static final long SIZE_BYTES = 2L << 30;

  /** A checkpoint comes once a window, and the demo kills agents between several checkpoints. */
  private static final long SIZE_BYTES_MIN = 8 * CopyPace.WINDOW_BYTES;

  private static final long SECTOR_BYTES = 512;

  /** An ext4 filesystem filled with this machine's own files. */
  static RealDisk build(DemoTools tools, Path directory, List<Path> places)
      throws IOException, InterruptedException, DemoFailure {
    List<Found> found = RealFiles.find(places, DATA_BYTES);
    if (found.isEmpty()) {
      throw new DemoFailure("No large files to make a disk of in " + places + "; use --image");
    }
    Path content = Files.createDirectories(directory.resolve("content"));
    long bytes = 0;
    int number = 0;
    // A machine with too few files contributes its files more than once.
    while (bytes < DATA_BYTES) {
      for (Found file : found) {
        String name = "%04d-%s".formatted(number++, file.path().getFileName());
        place(file.path(), content.resolve(name));
        bytes += file.bytes();
        if (bytes >= DATA_BYTES) {
          break;
        }
      }
    }
    Path image = directory.resolve("source.raw");
    tools.makeFilesystem(content, image, SIZE_BYTES);
    delete(content);
    long data = tools.qemuImg().info(image, VolumeFormat.RAW).allocatedBytes();
    return new RealDisk(image, SIZE_BYTES, data);
  }

  /** A raw copy of the user's image. */
  static RealDisk of(DemoTools tools, Path directory, Path image)
      throws IOException, InterruptedException, DemoFailure {
    VolumeFormat format = formatOf(image);
    var info = tools.qemuImg().limited(ToolLimits.INSPECTION).info(image, format);
    if (info.backingFile().isPresent() || info.dataFile().isPresent()) {
      throw new DemoFailure(image + " needs another file beside it; convert it first");
    }
    if (info.virtualSize() == 0 || info.virtualSize() % SECTOR_BYTES != 0) {
      throw new DemoFailure(image + " has " + info.virtualSize() + " bytes: no whole sectors");
    }
    if (info.virtualSize() < SIZE_BYTES_MIN) {
      throw new DemoFailure(
          "%s has %s; with less than %s its copy is over before it can be killed"
              .formatted(
                  image,
                  DemoFigures.mebibytes(info.virtualSize()),
                  DemoFigures.mebibytes(SIZE_BYTES_MIN)));
    }
    Path raw = directory.resolve("source.raw");
    tools.toRaw(image, format, raw);
    return new RealDisk(raw, info.virtualSize(), info.allocatedBytes());
  }

  /** The format by the file's name: the file's content could be forged. */
  static VolumeFormat formatOf(Path image) {
    return image.toString().endsWith(".qcow2") ? VolumeFormat.QCOW2 : VolumeFormat.RAW;
  }

  /** Links the file; copies the file where the system forbids links. */
  private static void place(Path file, Path target) throws IOException {
    try {
      Files.createLink(target, file.toRealPath());
    } catch (FileSystemException | UnsupportedOperationException e) {
      Files.copy(file, target);
    }
  }

  private static void delete(Path content) throws IOException {
    try (var files = Files.list(content)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(content);
  }
}
