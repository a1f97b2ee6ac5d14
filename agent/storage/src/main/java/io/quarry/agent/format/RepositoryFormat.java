package io.quarry.agent.format;

import java.util.Map;

/** One kind of storage. Calls block on the storage: never on an API thread. */
public interface RepositoryFormat {
  /** As callers name it, for example {@code localfs-1.0}. */
  String name();

  /** Checks the parameters without touching the storage. */
  void checkParameters(Map<String, String> parameters);

  /**
   * Connects after a probe of everything that safety needs, or says why the storage cannot be used.
   *
   * @param create whether an empty storage may be made into a repository
   * @param writer unique among all processes that use the storage
   */
  RepositoryStorage connect(Map<String, String> parameters, boolean create, String writer);

  /**
   * Makes a copy of a repository into a repository of its own: it gets a new key. Nothing else may
   * use the copy.
   */
  void rekey(Map<String, String> parameters);
}
