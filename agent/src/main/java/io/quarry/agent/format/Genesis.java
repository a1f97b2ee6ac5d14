package io.quarry.agent.format;

import java.time.Instant;

/**
 * The content of {@code repository.json}: written once, when an empty storage becomes a repository.
 *
 * @param format for example {@code localfs-1.0}
 * @param version of the layout and of the log's records
 * @param key names the repository across the cluster; never shown as something to type
 * @param fixSecret with it, agents sign the opaque data of fixes
 */
public record Genesis(String format, int version, String key, Instant createdAt, String fixSecret) {
  public static final String FILE = "repository.json";

  /** What this program reads and writes. */
  public static final int VERSION = 1;
}
