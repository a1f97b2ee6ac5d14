package io.quarry.agent.storage;

import java.time.Duration;
import java.util.Map;

/** One kind of storage. Calls block on the storage: never call on an API thread. */
public interface RepositoryFormat {
  /** The name that callers use, for example {@code localfs-1.0}. */
  String name();

  /** Checks the parameters without touching the storage. */
  void checkParameters(Map<String, String> parameters);

  /**
   * Probes everything that safety needs, then connects. The exception says why the storage cannot
   * be used.
   *
   * @param create whether an empty storage may be made into a repository
   * @param writer unique among all processes that use the storage
   */
  RepositoryStorage connect(Map<String, String> parameters, boolean create, String writer);

  /** How long {@link #connect} may take on a storage that answers. */
  default Duration connectMax() {
    return Duration.ofSeconds(10);
  }

  /**
   * Gives the copy of a repository a new key, so that the copy is a repository of its own. No other
   * process may use the copy.
   */
  void rekey(Map<String, String> parameters);

  /**
   * The agent ends. Storages that are closed from now on stay mounted, since VMs go on; the next
   * agent finds the mounts again.
   */
  default void agentEnds() {}
}
