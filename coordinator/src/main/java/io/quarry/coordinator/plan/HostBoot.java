package io.quarry.coordinator.plan;

/**
 * One run of a host's kernel. A machine that runs in a later boot of the same host proves that
 * everything of an earlier one has ended.
 *
 * @param hostKey made once by the host's agent and kept on that host alone: a clone of the host's
 *     name has another one
 * @param bootId of the kernel; no two boots share one
 */
public record HostBoot(String hostKey, String bootId) {
  /** Whether a host in this boot proves that the other one is over. */
  public boolean ends(HostBoot other) {
    return hostKey.equals(other.hostKey) && !bootId.equals(other.bootId);
  }
}
