package io.quarry.common.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * @param next the {@code after} of the next page; null on the last one
 */
public record OpenPage(List<OpenInfo> opens, @Nullable String next, long commit) {
  public OpenPage {
    opens = List.copyOf(opens);
  }
}
