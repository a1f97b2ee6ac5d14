package io.quarry.agent.demo;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The options of the demo.
 *
 * @param image a disk image to use instead of one made from this machine's files
 * @param directory for all files; a fresh temporary one when null
 * @param keep whether the directory stays afterwards
 */
public record DemoOptions(@Nullable Path image, int hosts, @Nullable Path directory, boolean keep) {
  /** One agent dies, and another one takes over. */
  public static final int HOSTS_MIN = 2;

  public static final int HOSTS_MAX = 9;

  public DemoOptions {
    if (hosts < HOSTS_MIN || hosts > HOSTS_MAX) {
      throw new IllegalArgumentException(
          "between " + HOSTS_MIN + " and " + HOSTS_MAX + " hosts, not " + hosts);
    }
  }
}
