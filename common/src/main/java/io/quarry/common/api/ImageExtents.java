package io.quarry.common.api;

import java.util.List;

/**
 * Where an image has data. Bytes outside these extents are zeros; bytes inside may be zeros, too.
 *
 * @param etag changes whenever the content may have changed
 * @param size of the whole image
 * @param offset where the answer begins
 * @param end where the answer ends; ask again from there on, unless it is the image's size
 * @param data in the order of their offsets
 */
public record ImageExtents(String etag, long size, long offset, long end, List<DataExtent> data) {
  public ImageExtents {
    data = List.copyOf(data);
  }

  /** In bytes. */
  public record DataExtent(long offset, long length) {
    public long end() {
      return offset + length;
    }
  }
}
