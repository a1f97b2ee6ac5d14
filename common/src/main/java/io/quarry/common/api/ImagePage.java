package io.quarry.common.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * @param next the {@code after} of the next page; null on the last one
 */
public record ImagePage(List<ImageInfo> images, @Nullable String next, long commit) {
  public ImagePage {
    images = List.copyOf(images);
  }
}
