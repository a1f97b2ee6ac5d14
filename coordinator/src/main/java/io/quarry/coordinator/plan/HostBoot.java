package io.quarry.coordinator.plan;

/**
 * One run of a host's kernel. A process in a later boot of the same host proves that all processes
 * of an earlier boot have ended.
 *
 * @param hostKey made once by the host's agent and kept on that host alone: a clone with the host's
 *     name has another key
 * @param bootId of the kernel; no two boots share one
 */
public record HostBoot(String hostKey, String bootId) {
  /** Whether a process of this boot proves that the other boot is over. */
  public boolean ends(HostBoot other) {
    return hostKey.equals(other.hostKey) && !bootId.equals(other.bootId);
  }
}
