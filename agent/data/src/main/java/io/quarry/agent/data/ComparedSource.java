package io.quarry.agent.data;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The difference between an image and another one, by content: both are read and compared. Where
 * the two are equal there is no extent. Only one thread may ask for extents.
 */
public final class ComparedSource implements Source {
  /** The piece that an overlay stores as one cluster. */
  private static final int PIECE_BYTES = 64 << 10;

  private static final int ALIGNMENT = 4096;

  private final Source image;
  private final Source base;

  // The garbage collector frees this memory: a read that hangs may still write to it.
  private final MemorySegment ofImage = Arena.ofAuto().allocate(PIECE_BYTES, ALIGNMENT);
  private final MemorySegment ofBase = Arena.ofAuto().allocate(PIECE_BYTES, ALIGNMENT);

  /**
   * @param base reads as zeros behind its end; the caller closes both sources
   */
  public ComparedSource(Source image, Source base) {
    this.image = image;
    this.base = base;
  }

  @Override
  public long size() {
    return image.size();
  }

  @Override
  public List<Extent> extents(long offset, long length) throws IOException {
    Extents different = new Extents();
    for (Extent extent : image.extents(offset, length)) {
      if (extent.kind() == Extent.Kind.ZERO) {
        addZeros(different, extent);
      } else {
        addData(different, extent);
      }
    }
    return different.list();
  }

  /** Zeros are written only where the base has data. */
  private void addZeros(Extents different, Extent zeros) throws IOException {
    long end = Math.min(zeros.end(), base.size());
    if (zeros.offset() < end) {
      for (Extent extent : base.extents(zeros.offset(), end - zeros.offset())) {
        if (extent.kind() == Extent.Kind.DATA) {
          different.add(Extent.zero(extent.offset(), extent.length()));
        }
      }
    }
  }

  private void addData(Extents different, Extent data) throws IOException {
    for (long at = data.offset(); at < data.end(); ) {
      long end = Math.min(data.end(), at - at % PIECE_BYTES + PIECE_BYTES);
      if (differs(at, (int) (end - at))) {
        different.add(Extent.data(at, end - at));
      }
      at = end;
    }
  }

  private boolean differs(long offset, int length) throws IOException {
    MemorySegment one = ofImage.asSlice(0, length);
    MemorySegment other = ofBase.asSlice(0, length);
    int inBase = Math.clamp(base.size() - offset, 0, length);
    image.read(offset, one);
    if (inBase > 0) {
      base.read(offset, other.asSlice(0, inBase));
    }
    other.asSlice(inBase).fill((byte) 0);
    return one.mismatch(other) >= 0;
  }

  @Override
  public void read(long offset, MemorySegment into) throws IOException {
    image.read(offset, into);
  }

  @Override
  public void close() {}
}
