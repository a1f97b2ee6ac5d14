package io.quarry.agent.data;

import io.quarry.agent.data.Extent.Kind;
import io.quarry.agent.data.Extent.Place;
import io.quarry.agent.data.os.Outcome;
import java.io.IOException;

/**
 * Copies an image window by window. Where the filesystem shares blocks between the two files, the
 * copy moves no data. Otherwise data is read through the page cache, since a copied image was often
 * just written. Data is written around the cache. On a busy machine that took half the time, and
 * other processes keep their pages in the cache.
 */
public final class WindowCopier {
  /**
   * The cost of sharing blocks depends on extents, not on bytes, and each step costs a flush. So
   * the steps are large.
   */
  private static final long CLONE_STEP_BYTES = 4L << 30;

  private final Source source;
  private final RawTarget target;
  private final CopyControl control;
  private final WindowListener listener;
  private long cloned;

  private WindowCopier(
      Source source, RawTarget target, CopyControl control, WindowListener listener) {
    this.source = source;
    this.target = target;
    this.control = control;
    this.listener = listener;
  }

  /**
   * Copies from the plan's start to the end of the source. When the method returns or throws, no
   * read or write is under way any more.
   *
   * @throws CopyStopped after {@link CopyControl#stop}
   * @throws InterruptedException if the calling thread was interrupted; the files stay open
   */
  public static CopyFigures copy(
      Source source,
      RawTarget target,
      CopyPlan plan,
      Throttle throttle,
      CopyControl control,
      WindowListener listener)
      throws IOException, InterruptedException {
    if (target.size() < source.size()) {
      throw new IOException(
          target.path() + ": " + target.size() + " bytes cannot hold " + source.size());
    }
    if (plan.startOffset() > source.size()) {
      throw new IOException(
          target.path() + ": start " + plan.startOffset() + " is past the end " + source.size());
    }
    WindowCopier copier = new WindowCopier(source, target, control, listener);
    return copier.run(plan, throttle);
  }

  private CopyFigures run(CopyPlan plan, Throttle throttle)
      throws IOException, InterruptedException {
    long start = cloneFrom(plan.startOffset());
    ChunkCopier chunks = new ChunkCopier(source, target);
    if (start < source.size()) {
      try (Lanes lanes = new Lanes(chunks::copy, plan.pace(), throttle, control)) {
        new WindowLoop(
                lanes,
                plan.pace(),
                (at, end) -> {
                  control.check("copy to " + target.path() + " at " + at);
                  return Window.of(source, at, end);
                },
                target::flush,
                end -> listener.windowDurable(end, cloned + chunks.read()))
            .run(start, source.size());
      }
    }
    long skipped = source.size() - plan.startOffset() - chunks.written() - cloned;
    return new CopyFigures(chunks.read(), chunks.written(), skipped, cloned);
  }

  /**
   * Shares blocks as far as the filesystem can, and returns the offset where copying has to begin.
   */
  private long cloneFrom(long start) throws IOException, InterruptedException {
    long at = start;
    while (at < source.size()) {
      control.check("copy to " + target.path() + " at " + at);
      long end = Math.min(source.size(), at + CLONE_STEP_BYTES);
      long before = cloned;
      long reached = cloneRange(at, end);
      if (cloned > before || reached == source.size()) {
        target.flush();
        listener.windowDurable(reached, cloned);
      }
      if (reached < end) {
        return reached;
      }
      at = reached;
    }
    return at;
  }

  private long cloneRange(long start, long end) throws IOException {
    for (Extent extent : source.extents(start, end - start)) {
      if (extent.kind() == Kind.ZERO) {
        continue;
      }
      if (extent.place().isEmpty()) {
        return extent.offset();
      }
      Place place = extent.place().get();
      long length = clonableLength(extent.length(), place);
      if (length == 0
          || target.cloneRange(place.file(), place.offset(), length, extent.offset())
              == Outcome.NOT_SUPPORTED) {
        return extent.offset();
      }
      cloned += length;
      if (length < extent.length()) {
        return extent.offset() + length;
      }
    }
    return end;
  }

  /** Only whole blocks can be shared, except for the last block of a file. */
  private static long clonableLength(long length, Place place) throws IOException {
    long odd = length % Zeros.BLOCK_BYTES;
    return odd == 0 || place.offset() + length == place.file().size() ? length : length - odd;
  }
}
