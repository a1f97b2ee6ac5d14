package io.quarry.agent.data;

import io.quarry.agent.data.process.Children;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.nio.file.Path;

/** A whole copy in one call, for those who need no checkpoints of it. */
public final class ImageCopy {
  private ImageCopy() {}

  /** Opens what the format asks for. The runtime directory is for sockets: local, a short name. */
  public static Source open(
      Children children, Path runtimeDirectory, Path file, VolumeFormat format)
      throws IOException, InterruptedException {
    return switch (format) {
      case RAW -> RawFileSource.open(file);
      case QCOW2 -> ChainSource.open(children, runtimeDirectory, file, format);
    };
  }

  /** Copies an image with all that is below it into a new raw file, which is durable then. */
  public static CopyFigures toRaw(Source source, Path target, CopyControl control)
      throws IOException, InterruptedException {
    try (RawTarget to = RawTarget.create(target, source.size())) {
      return WindowCopier.copy(
          source, to, CopyPlan.fromStart(), Throttle.unlimited(), control, (end, moved) -> {});
    }
  }
}
