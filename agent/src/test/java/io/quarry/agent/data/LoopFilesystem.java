package io.quarry.agent.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.data.process.ToolFailure;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** An XFS of its own in a file, mounted by a loop device: a filesystem that shares blocks. */
public final class LoopFilesystem implements AutoCloseable {
  private static final long SIZE = 1L << 30;

  private final Tools tools;
  private final Path image;
  private final Path mountPoint;
  private final String options;

  private LoopFilesystem(Tools tools, Path image, Path mountPoint, String options) {
    this.tools = tools;
    this.image = image;
    this.mountPoint = mountPoint;
    this.options = options;
  }

  /** Skips the test where mounting is not possible. */
  public static LoopFilesystem mountXfs(Path dir) throws IOException, InterruptedException {
    return mountXfs(dir, "defaults");
  }

  /** With options of mount. */
  public static LoopFilesystem mountXfs(Path dir, String options)
      throws IOException, InterruptedException {
    assumeTrue("root".equals(System.getProperty("user.name")), "mounting needs root");
    Tools tools = new Tools(new Children(new Spawner(), "test"));
    Path image = DiskImages.hole(dir.resolve("xfs.img"), SIZE);
    Path mountPoint = Files.createDirectory(dir.resolve("xfs"));
    try {
      tools.run("mkfs.xfs", "-q", image.toString());
      LoopFilesystem made = new LoopFilesystem(tools, image, mountPoint, options);
      made.mount();
      return made;
    } catch (ToolFailure e) {
      assumeTrue(false, "no loop-mounted XFS: " + e.getMessage());
      throw e;
    }
  }

  private void mount() throws IOException, InterruptedException {
    String all = "loop," + options;
    tools.run("mount", "-t", "xfs", "-o", all, image.toString(), mountPoint.toString());
  }

  /** So much files of that user may take, if it is mounted with {@code uquota}. */
  public void limitUser(int uid, String bytes) throws IOException, InterruptedException {
    String limit = "limit -u bhard=" + bytes + " " + uid;
    tools.run("xfs_quota", "-x", "-c", limit, mountPoint.toString());
  }

  /** All that was written so far is durable. */
  public void force() throws IOException, InterruptedException {
    tools.run("sync", "--file-system", mountPoint.toString());
  }

  /** Whatever was not forced is lost, and everything fails until the power is back. */
  public void cutPower() throws IOException {
    try {
      tools.run("xfs_io", "-x", "-c", "shutdown", mountPoint.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException(mountPoint + ": interrupted");
    }
  }

  /** Nobody may have a file open. */
  public void restorePower() throws IOException, InterruptedException {
    tools.run("umount", mountPoint.toString());
    mount();
  }

  public Path path() {
    return mountPoint;
  }

  @Override
  public void close() throws IOException {
    try {
      tools.run("umount", mountPoint.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException(mountPoint + ": still mounted");
    }
    assertThat(mountPoint).isEmptyDirectory();
  }
}
