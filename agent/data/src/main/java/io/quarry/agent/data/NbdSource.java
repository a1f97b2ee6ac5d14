package io.quarry.agent.data;

import io.quarry.agent.data.nbd.BlockStatus;
import io.quarry.agent.data.nbd.QemuNbd;
import io.quarry.agent.data.nbd.ServedImage;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.ToolLimits;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;

/**
 * The content of an image through all the images below it, as a QEMU server reads the image. The
 * server reads everything that QEMU reads, also compressed clusters. The price is that every byte
 * goes through the server and its socket.
 */
public final class NbdSource implements Source {
  private final QemuNbd server;

  private NbdSource(QemuNbd server) {
    this.server = server;
  }

  public static NbdSource open(Children children, Path runtimeDirectory, Chain chain)
      throws IOException, InterruptedException {
    return open(children, runtimeDirectory, ServedImage.readOnly(chain));
  }

  /** Opens an image that comes from outside. */
  public static NbdSource openUntrusted(
      Children children, Path runtimeDirectory, Path qcow2, ToolLimits limits)
      throws IOException, InterruptedException {
    Chain alone = Chain.of(qcow2, VolumeFormat.QCOW2);
    return open(children, runtimeDirectory, ServedImage.readOnly(alone).within(limits));
  }

  private static NbdSource open(Children children, Path runtimeDirectory, ServedImage image)
      throws IOException, InterruptedException {
    return new NbdSource(QemuNbd.start(children, runtimeDirectory, image));
  }

  @Override
  public long size() {
    return server.client().size();
  }

  @Override
  public List<Extent> extents(long offset, long length) throws IOException {
    Extents extents = new Extents();
    long end = Math.addExact(offset, length);
    long at = offset;
    while (at < end) {
      List<BlockStatus> statuses =
          server.client().blockStatus(at, end - at).get(BlockStatus.ALLOCATION);
      if (statuses == null) {
        throw new IOException("the server of the source has no " + BlockStatus.ALLOCATION);
      }
      for (BlockStatus status : statuses) {
        long stop = Math.min(end, status.end());
        if (stop > at) {
          extents.add(status.isZero() ? Extent.zero(at, stop - at) : Extent.data(at, stop - at));
          at = stop;
        }
      }
    }
    return extents.list();
  }

  @Override
  public void read(long offset, MemorySegment into) throws IOException {
    server.client().read(offset, into);
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
