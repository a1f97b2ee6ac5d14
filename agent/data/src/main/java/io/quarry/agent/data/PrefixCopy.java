package io.quarry.agent.data;

import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.os.Outcome;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Copies what an earlier worker made durable into a new file. A takeover needs this copy when no
 * proof says that the worker is dead. Such a worker may still write to its own file, but only
 * behind the durable part. So the durable part may be read.
 */
public final class PrefixCopy {
  /** How far the copy goes between two looks at the stop flag. */
  private static final long STEP_BYTES = 8L << 20;

  private final RawFileSource from;
  private final RawTarget to;
  private final CopyPace pace;
  private final Throttle throttle;
  private final CopyControl control;

  private PrefixCopy(
      RawFileSource from, RawTarget to, CopyPace pace, Throttle throttle, CopyControl control) {
    this.from = from;
    this.to = to;
    this.pace = pace;
    this.throttle = throttle;
    this.control = control;
  }

  /** How the bytes came over. */
  public enum Way {
    /** The filesystem shares the blocks, so no data was moved. */
    CLONED,
    /** All data was moved once more, by the file server or by this host. */
    COPIED
  }

  /**
   * Returns when bytes 0 to {@code endOffset} are durable in {@code to}, holes kept.
   *
   * @param from is closed at the end
   */
  public static Way copy(
      NativeFile from,
      RawTarget to,
      long endOffset,
      CopyPace pace,
      Throttle throttle,
      CopyControl control)
      throws IOException, InterruptedException {
    try (RawFileSource source = RawFileSource.of(from)) {
      if (source.size() < endOffset) {
        throw new IOException(from.path() + ": ends before the durable offset " + endOffset);
      }
      Way way = new PrefixCopy(source, to, pace, throttle, control).run(endOffset);
      to.flush();
      return way;
    }
  }

  private Way run(long endOffset) throws IOException, InterruptedException {
    if (endOffset == 0 || to.cloneRange(from.file(), 0, endOffset, 0) == Outcome.DONE) {
      return Way.CLONED;
    }
    if (!serverCopies() || copyInKernel(endOffset) == Outcome.NOT_SUPPORTED) {
      WindowCopier.copy(
          new Prefix(from, endOffset),
          to,
          new CopyPlan(0, pace),
          throttle,
          control,
          (end, moved) -> {});
    }
    return Way.COPIED;
  }

  /**
   * With copy_file_range an NFS server copies between two of its files by itself. On a local disk
   * the call took twice as long as the copier with its lanes.
   */
  private boolean serverCopies() throws IOException {
    return to.onNfs();
  }

  private Outcome copyInKernel(long endOffset) throws IOException, InterruptedException {
    for (Extent extent : from.extents(0, endOffset)) {
      if (extent.kind() == Extent.Kind.DATA && copyData(extent) == Outcome.NOT_SUPPORTED) {
        return Outcome.NOT_SUPPORTED;
      }
    }
    return Outcome.DONE;
  }

  private Outcome copyData(Extent extent) throws IOException, InterruptedException {
    for (long at = extent.offset(); at < extent.end(); at += STEP_BYTES) {
      long length = Math.min(STEP_BYTES, extent.end() - at);
      if (!throttle.acquire(length, control::isStopped)) {
        throw new CopyStopped(to.path() + ": stopped at offset " + at);
      }
      if (Thread.interrupted()) {
        throw new InterruptedException("copy to " + to.path() + " interrupted at " + at);
      }
      if (to.copyRange(from.file(), at, length) == Outcome.NOT_SUPPORTED) {
        return Outcome.NOT_SUPPORTED;
      }
    }
    return Outcome.DONE;
  }

  /** The beginning of a source, as if the source ended there. */
  private record Prefix(Source whole, long size) implements Source {
    @Override
    public List<Extent> extents(long offset, long length) throws IOException {
      return whole.extents(offset, length);
    }

    @Override
    public void read(long offset, MemorySegment into) throws IOException {
      whole.read(offset, into);
    }

    @Override
    public void close() throws IOException {
      whole.close();
    }
  }
}
