package io.quarry.it.box;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.awaitility.Awaitility;

/** A filesystem of its own, in a file beside the mount, whose power can be cut. */
public final class Xfs implements AutoCloseable {
  private static final long SIZE = 2L << 30;

  private final Path image;
  private final Path mountPoint;

  private Xfs(Path image, Path mountPoint) {
    this.image = image;
    this.mountPoint = mountPoint;
  }

  /** Skips the test where mounting is not possible. */
  public static Xfs mount(Path mountPoint) throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "mounting takes root");
    Files.createDirectories(mountPoint);
    Xfs xfs = new Xfs(mountPoint.resolveSibling(mountPoint.getFileName() + ".img"), mountPoint);
    try (RandomAccessFile file = new RandomAccessFile(xfs.image.toFile(), "rw")) {
      file.setLength(SIZE);
    }
    QemuGuest.run(List.of("mkfs.xfs", "-q", xfs.image.toString()));
    xfs.mount();
    return xfs;
  }

  private void mount() throws IOException, InterruptedException {
    QemuGuest.run(
        List.of("mount", "-t", "xfs", "-o", "loop", image.toString(), mountPoint.toString()));
  }

  /** Drops all writes that were not forced; all calls fail until the power is back. */
  public void cutPower() throws IOException, InterruptedException {
    QemuGuest.run(List.of("xfs_io", "-x", "-c", "shutdown", mountPoint.toString()));
  }

  /** No process may have a file open. */
  public void restorePower() throws IOException, InterruptedException {
    unmount();
    mount();
  }

  @Override
  public void close() throws IOException {
    try {
      unmount();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException(mountPoint + ": still mounted");
    }
    Files.delete(image);
  }

  /** A process that was just killed may still hold its files. */
  private void unmount() throws IOException, InterruptedException {
    ProcessBuilder unmount =
        new ProcessBuilder("umount", mountPoint.toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD);
    Awaitility.await()
        .alias("umount " + mountPoint)
        .atMost(Box.PATIENCE)
        .until(() -> unmount.start().waitFor() == 0);
  }
}
