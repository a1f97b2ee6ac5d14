package io.quarry.agent.data;

import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.data.qemu.ChainLink;
import io.quarry.agent.data.qemu.QemuImg;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A whole copy in one call, for callers that need no checkpoints. */
public final class ImageCopy {
  private ImageCopy() {}

  /**
   * Opens an image with all images below it, as the files name them.
   *
   * @param runtimeDirectory for sockets: local, with a short name
   */
  public static Source open(
      Children children, Path runtimeDirectory, Path file, VolumeFormat format)
      throws IOException, InterruptedException {
    if (format == VolumeFormat.RAW) {
      return RawFileSource.open(file);
    }
    List<ChainLink> links = new QemuImg(children).chain(file.toAbsolutePath(), format);
    for (ChainLink link : links) {
      if (!link.isPlain()) {
        throw new IOException(link.file() + ": not a plain raw or qcow2 file");
      }
    }
    Chain chain = new Chain(links.stream().map(ChainLink::layer).toList());
    long size = links.getFirst().image().virtualSize();
    return ChainSource.open(children, runtimeDirectory, chain, size);
  }

  /**
   * Copies an image, with all images below it, into a new raw file; returns when that file is
   * durable.
   */
  public static CopyFigures toRaw(Source source, Path target, CopyControl control)
      throws IOException, InterruptedException {
    try (RawTarget to = RawTarget.create(NativeFile.createNew(target), source.size())) {
      return WindowCopier.copy(
          source, to, CopyPlan.fromStart(), Throttle.unlimited(), control, (end, moved) -> {});
    }
  }
}
