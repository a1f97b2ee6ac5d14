package io.quarry.common.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * @param next the {@code after} of the next page; null on the last one
 */
public record FixPage(List<FixInfo> fixes, @Nullable String next) {
  public FixPage {
    fixes = List.copyOf(fixes);
  }
}
