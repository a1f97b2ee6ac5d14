package io.quarry.it.box;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.quarry.agent.data.process.Spawner;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.awaitility.Awaitility;

/**
 * A host's own path to a storage: the same directory through a FUSE daemon. When the daemon is
 * stopped, the storage hangs for users of this mount alone. The kernel caches neither names nor
 * attributes, so hosts see each other's changes at once. Hard links, forces, direct I/O and locks
 * reach the storage.
 */
public final class FuseMount implements AutoCloseable {
  private static final Path DEVICE = Path.of("/dev/fuse");

  private final Path mountPoint;
  private final Process daemon;

  private FuseMount(Path mountPoint, Process daemon) {
    this.mountPoint = mountPoint;
    this.daemon = daemon;
  }

  /** Skips the test where mounting is not possible. */
  public static FuseMount mount(Path directory, Path mountPoint) throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "mounting takes root");
    assumeTrue(Files.isWritable(DEVICE), "there is no " + DEVICE + " here");
    Files.createDirectories(directory);
    Files.createDirectories(mountPoint);
    Process daemon =
        new Spawner()
            .start(
                new ProcessBuilder(
                        "bindfs",
                        "-f",
                        "--multithreaded",
                        "--create-as-mounter",
                        "--forward-odirect=4096",
                        "-o",
                        "attr_timeout=0,entry_timeout=0,negative_timeout=0",
                        directory.toString(),
                        mountPoint.toString())
                    .inheritIO());
    FuseMount mount = new FuseMount(mountPoint, daemon);
    try {
      Awaitility.await().atMost(Box.PATIENCE).until(mount::readyOrEnded);
      assumeTrue(daemon.isAlive(), "FUSE is not permitted here");
      return mount;
    } catch (RuntimeException e) {
      daemon.destroyForcibly();
      throw e;
    }
  }

  private boolean readyOrEnded() throws IOException {
    return !daemon.isAlive()
        || Files.readString(Path.of("/proc/self/mounts")).contains(" " + mountPoint + " fuse");
  }

  public Path path() {
    return mountPoint;
  }

  /** The pid of the daemon, for tests that disturb the daemon. */
  public long pid() {
    return daemon.pid();
  }

  /** Makes every call on the mount wait, until {@link #goOn}. */
  public void hang() throws IOException, InterruptedException {
    QemuGuest.run(List.of("kill", "-STOP", Long.toString(daemon.pid())));
  }

  public void goOn() throws IOException, InterruptedException {
    QemuGuest.run(List.of("kill", "-CONT", Long.toString(daemon.pid())));
  }

  /** Ends the mount; calls that still wait fail. */
  @Override
  public void close() throws IOException {
    daemon.destroyForcibly();
    try {
      daemon.waitFor();
      QemuGuest.run(List.of("umount", "-l", mountPoint.toString()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException(mountPoint + ": still mounted");
    }
  }
}
