package io.quarry.common.client;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * The newest commit that this client has seen of each repository. With it, reads on any agent show
 * what the client has written.
 */
final class SeenCommits {
  private final ConcurrentMap<String, Long> newest = new ConcurrentHashMap<>();

  void saw(String repoId, long commit) {
    Long known = newest.get(repoId);
    if (known == null || known < commit) {
      newest.merge(repoId, commit, Math::max);
    }
  }

  long atLeast(String repoId, long asked) {
    return Math.max(asked, newest.getOrDefault(repoId, 0L));
  }

  /** The handle may name another repository next time. */
  void forget(String repoId) {
    newest.remove(repoId);
  }
}
