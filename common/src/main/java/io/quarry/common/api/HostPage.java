package io.quarry.common.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * @param next the {@code after} of the next page; null on the last one
 */
public record HostPage(List<HostInfo> hosts, @Nullable String next) {
  public HostPage {
    hosts = List.copyOf(hosts);
  }
}
