package io.quarry.coordinator.plan;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.pcollections.HashTreePMap;
import org.pcollections.PMap;

/**
 * The answers to the latest requests, by request id, in two generations: when the younger one is
 * full the older one is forgotten. Immutable, and the same on every replica, since it depends on
 * the records alone.
 *
 * @param olderFrom the first commit that the two generations know all requests of
 */
public record RecentRequests(
    PMap<String, Reply> younger, PMap<String, Reply> older, long olderFrom, long youngerFrom) {

  /** Requests in a generation. Between one and two generations are remembered. */
  public static final int GENERATION_REQUESTS = 100_000;

  public static final RecentRequests NONE =
      new RecentRequests(HashTreePMap.empty(), HashTreePMap.empty(), 1, 1);

  /** As a checkpoint keeps it. */
  public record Saved(
      Map<String, Reply> younger, Map<String, Reply> older, long olderFrom, long youngerFrom) {}

  public @Nullable Reply find(String requestId) {
    Reply reply = younger.get(requestId);
    return reply != null ? reply : older.get(requestId);
  }

  /** Whether a request of that commit would still be remembered. */
  public boolean remembers(long commit) {
    return commit >= olderFrom;
  }

  RecentRequests plus(String requestId, Reply reply) {
    if (younger.size() >= GENERATION_REQUESTS) {
      // The generation before may hold a part of this commit: only the next one is known whole.
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
