package io.quarry.agent.data;

import io.quarry.agent.data.nbd.QemuNbd;
import io.quarry.agent.data.nbd.ServedImage;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.qemu.Chain;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An overlay that is being filled, or what others are overlays of, through a QEMU server. What is
 * below it is open as well: a zero has to be written only where something else would show through,
 * and there it must be.
 */
public final class OverlayTarget implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(OverlayTarget.class);

  private final QemuNbd server;
  private final Path path;
  private boolean broken;

  private OverlayTarget(QemuNbd server, Path path) {
    this.server = server;
    this.path = path;
  }

  /**
   * @param chain the overlay, which exists, and what it will be over
   */
  public static OverlayTarget open(Children children, Path runtimeDirectory, Chain chain)
      throws IOException, InterruptedException {
    ServedImage image = ServedImage.writable(chain);
    Path file = chain.top().file();
    try {
      return new OverlayTarget(QemuNbd.start(children, runtimeDirectory, image), file);
    } catch (IOException e) {
      // Not every filesystem is written around its cache, and some hosts forbid io_uring.
      LOG.info("Writing {} through the page cache: {}", file, e.getMessage());
      ServedImage cached = image.with(ServedImage.Cache.WRITEBACK, ServedImage.Aio.THREADS);
      try {
        return new OverlayTarget(QemuNbd.start(children, runtimeDirectory, cached), file);
      } catch (IOException again) {
        again.addSuppressed(e);
        throw again;
      }
    }
  }

  /**
   * @param chain what is written down into, which others may be reading, and what is below it
   */
  public static OverlayTarget openShared(Children children, Path runtimeDirectory, Chain chain)
      throws IOException, InterruptedException {
    QemuNbd server = QemuNbd.start(children, runtimeDirectory, ServedImage.shared(chain));
    return new OverlayTarget(server, chain.top().file());
  }

  public Path path() {
    return path;
  }

  public long size() {
    return server.client().size();
  }

  void write(long offset, MemorySegment from) throws IOException {
    server.client().write(offset, from);
  }

  public void writeZeroes(long offset, long length) throws IOException {
    server.client().writeZeroes(offset, length);
  }

  /** Makes all returned writes durable. After one failure the file cannot be trusted any more. */
  public void flush() throws IOException {
    if (broken) {
      throw new IOException(path + ": an earlier flush failed; write it anew");
    }
    try {
      server.client().flush();
    } catch (IOException e) {
      broken = true;
      throw e;
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
