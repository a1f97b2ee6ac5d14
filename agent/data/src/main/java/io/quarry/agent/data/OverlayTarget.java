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
 * An image that is filled through a QEMU server: a new overlay, or a base of other overlays. The
 * layers below are open, too. Zeros are written only where other data would show through.
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
   * @param chain the existing overlay, and the layers below it
   */
  public static OverlayTarget open(Children children, Path runtimeDirectory, Chain chain)
      throws IOException, InterruptedException {
    ServedImage image = ServedImage.writable(chain);
    Path file = chain.top().file();
    try {
      return new OverlayTarget(QemuNbd.start(children, runtimeDirectory, image), file);
    } catch (IOException e) {
      // Some filesystems do not allow writes around their cache, and some hosts forbid io_uring.
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
   * @param chain the image that is written to while others may read it, and the layers below it
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
