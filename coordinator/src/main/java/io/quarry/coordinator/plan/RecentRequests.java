package io.quarry.coordinator.plan;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.pcollections.HashTreePMap;
import org.pcollections.PMap;

/**
 * The answers to the latest requests, by request id, in two generations. When the younger
 * generation is full, the older one is forgotten. Immutable, and the same on every replica, since
 * the answers depend on the records alone.
 *
 * @param olderFrom the first commit whose requests the two generations know completely
 */
public record RecentRequests(
    PMap<String, Reply> younger, PMap<String, Reply> older, long olderFrom, long youngerFrom) {

  /** Requests in a generation. Between one and two generations are remembered. */
  public static final int GENERATION_REQUESTS = 100_000;

  public static final RecentRequests NONE =
      new RecentRequests(HashTreePMap.empty(), HashTreePMap.empty(), 1, 1);

  /** The form that a checkpoint keeps. */
  public record Saved(
      Map<String, Reply> younger, Map<String, Reply> older, long olderFrom, long youngerFrom) {}

  public @Nullable Reply find(String requestId) {
    Reply reply = younger.get(requestId);
    return reply != null ? reply : older.get(requestId);
  }

  /** Whether the two generations still know all requests of that commit. */
  public boolean remembers(long commit) {
    return commit >= olderFrom;
  }

  RecentRequests plus(String requestId, Reply reply) {
    if (younger.size() >= GENERATION_REQUESTS) {
      // The older generation may hold a part of this commit: the younger one is complete from the
      // next commit on.
      return new RecentRequests(
          HashTreePMap.singleton(requestId, reply), younger, youngerFrom, reply.commit() + 1);
    }
    return new RecentRequests(younger.plus(requestId, reply), older, olderFrom, youngerFrom);
  }

  public Saved save() {
    return new Saved(younger, older, olderFrom, youngerFrom);
  }

  public static RecentRequests load(Saved saved) {
    return new RecentRequests(
        HashTreePMap.from(saved.younger()),
        HashTreePMap.from(saved.older()),
        saved.olderFrom(),
        saved.youngerFrom());
  }
}
