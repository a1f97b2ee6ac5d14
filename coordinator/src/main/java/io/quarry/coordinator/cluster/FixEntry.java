package io.quarry.coordinator.cluster;

import java.time.Instant;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A fix in the queue; a worker finds all else in the repository's log.
 *
 * @param priority higher goes first
 * @param failures how often the fix had failed when it was queued
 * @param notBefore for pauses between attempts; {@code queuedAt} when absent
 * @param heavy whether the fix moves much data
 * @param requires keys of the repositories a worker must have connected
 */
public record FixEntry(
    String fixId,
    String type,
    int priority,
    String imageId,
    int failures,
    Instant queuedAt,
    Instant notBefore,
    boolean heavy,
    Set<String> requires) {
  public FixEntry(
      String fixId,
      String type,
      int priority,
      String imageId,
      int failures,
      Instant queuedAt,
      @Nullable Instant notBefore,
      boolean heavy,
      @Nullable Set<String> requires) {
    this.fixId = Znodes.requireName(fixId, "fix id");
    this.type = Objects.requireNonNull(type);
    this.priority = priority;
    this.imageId = Objects.requireNonNull(imageId);
    this.failures = failures;
    this.queuedAt = Objects.requireNonNull(queuedAt);
    this.notBefore = notBefore == null ? queuedAt : notBefore;
    this.heavy = heavy;
    this.requires = requires == null ? Set.of() : Set.copyOf(requires);
  }
}
