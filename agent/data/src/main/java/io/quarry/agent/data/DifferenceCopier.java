package io.quarry.agent.data;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.LongAdder;

/**
 * Copies a difference, for example the upper layers of a chain, into one overlay, window by window.
 * Where the difference has no extent, the copy writes no data, and the layers below show through.
 * Where the difference is zero, the copy writes zeros.
 */
public final class DifferenceCopier {
  private final Source source;
  private final OverlayTarget target;
  private final CopyControl control;
  private final LongAdder moved = new LongAdder();
  private long zeros;

  private DifferenceCopier(Source source, OverlayTarget target, CopyControl control) {
    this.source = source;
    this.target = target;
    this.control = control;
  }

  /**
   * Copies from the plan's start to the end of the source. When the method returns or throws, no
   * read or write is under way any more. When the method returns, the whole copy is durable.
   *
   * @throws CopyStopped after {@link CopyControl#stop}
   */
  public static CopyFigures copy(
      Source source,
      OverlayTarget target,
      CopyPlan plan,
      Throttle throttle,
      CopyControl control,
      WindowListener listener)
      throws IOException, InterruptedException {
    if (target.size() < source.size()) {
      throw new IOException(
          target.path() + ": " + target.size() + " bytes cannot hold " + source.size());
    }
    DifferenceCopier copier = new DifferenceCopier(source, target, control);
    try (Lanes lanes = new Lanes(copier::move, plan.pace(), throttle, control)) {
      new WindowLoop(
              lanes,
              plan.pace(),
              copier::plan,
              target::flush,
              end -> listener.windowDurable(end, copier.moved.sum()))
          .run(plan.startOffset(), source.size());
    }
    target.flush();
    long copied = copier.moved.sum();
    return new CopyFigures(
        copied, copied, source.size() - plan.startOffset() - copied - copier.zeros, 0);
  }

  /** Zeros cost next to nothing, and are written at once. */
  private Window plan(long offset, long end) throws IOException, InterruptedException {
    control.check("copy to " + target.path() + " at " + offset);
    var extents = source.extents(offset, end - offset);
    for (Extent extent : extents) {
      if (extent.kind() == Extent.Kind.ZERO) {
        target.writeZeroes(extent.offset(), extent.length());
        zeros += extent.length();
      }
    }
    return Window.ofData(
        offset, end, extents.stream().filter(extent -> extent.kind() == Extent.Kind.DATA).toList());
  }

  private void move(Chunk chunk, MemorySegment buffer) throws IOException {
    MemorySegment content = buffer.asSlice(0, chunk.length());
    source.read(chunk.offset(), content);
    target.write(chunk.offset(), content);
    moved.add(chunk.length());
  }
}
