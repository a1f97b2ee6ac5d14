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
import java.util.ArrayList;
import java.util.List;

/** A filesystem of its own in a file, mounted by a loop device. */
public final class LoopFilesystem implements AutoCloseable {
  private static final long SIZE = 1L << 30;

  private final Tools tools;
  private final String type;
  private final Path image;
  private final Path mountPoint;
  private final String options;

  private LoopFilesystem(Tools tools, String type, Path image, Path mountPoint, String options) {
    this.tools = tools;
    this.type = type;
    this.image = image;
    this.mountPoint = mountPoint;
    this.options = options;
  }

  /** A filesystem that shares blocks. Skips the test where mounting is not possible. */
  public static LoopFilesystem mountXfs(Path dir) throws IOException, InterruptedException {
    return mountXfs(dir, "defaults");
  }

  /** The same with mount options. */
  public static LoopFilesystem mountXfs(Path dir, String options)
      throws IOException, InterruptedException {
    return made(dir, "xfs", SIZE, options, "-q");
  }

  /**
   * A filesystem with blocks of 1 KiB, whose largest file is smaller than on other filesystems.
   *
   * @param size in bytes
   * @param options of mkfs
   */
  public static LoopFilesystem mountExt4(Path dir, long size, String... options)
      throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(List.of("-q", "-F", "-b", "1024"));
    all.addAll(List.of(options));
    return made(dir, "ext4", size, "defaults", all.toArray(String[]::new));
  }

  private static LoopFilesystem made(
      Path dir, String type, long size, String mountOptions, String... mkfsOptions)
      throws IOException, InterruptedException {
    assumeTrue("root".equals(System.getProperty("user.name")), "mounting needs root");
    Tools tools = new Tools(new Children(new Spawner(), "test"));
    Path image = DiskImages.hole(dir.resolve(type + ".img"), size);
    Path mountPoint = Files.createDirectory(dir.resolve(type));
    try {
      List<String> mkfs = new ArrayList<>(List.of("mkfs." + type));
      mkfs.addAll(List.of(mkfsOptions));
      mkfs.add(image.toString());
      tools.run(mkfs.toArray(String[]::new));
      LoopFilesystem made = new LoopFilesystem(tools, type, image, mountPoint, mountOptions);
      made.mount();
      return made;
    } catch (ToolFailure e) {
      assumeTrue(false, "no loop-mounted " + type + ": " + e.getMessage());
      throw e;
    }
  }

  private void mount() throws IOException, InterruptedException {
    String all = "loop," + options;
    tools.run("mount", "-t", type, "-o", all, image.toString(), mountPoint.toString());
  }

  /** Limits the space of the user's files on a filesystem that is mounted with {@code uquota}. */
  public void limitUser(int uid, String bytes) throws IOException, InterruptedException {
    String limit = "limit -u bhard=" + bytes + " " + uid;
    tools.run("xfs_quota", "-x", "-c", limit, mountPoint.toString());
  }

  /** Makes everything durable that was written so far. */
  public void force() throws IOException, InterruptedException {
    tools.run("sync", "--file-system", mountPoint.toString());
  }

  /** Drops all writes that were not forced; all calls fail until the power is back. */
  public void cutPower() throws IOException {
    try {
      tools.run("xfs_io", "-x", "-c", "shutdown", mountPoint.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException(mountPoint + ": interrupted");
    }
  }

  /** No process may have a file open. */
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
      tools.run("umount", "-l", mountPoint.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException(mountPoint + ": still mounted");
    }
    assertThat(mountPoint).isEmptyDirectory();
  }
}
