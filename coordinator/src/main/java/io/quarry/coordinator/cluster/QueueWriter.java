package io.quarry.coordinator.cluster;

import io.quarry.coordinator.cluster.ZnodeStore.Children;
import io.quarry.coordinator.cluster.ZnodeStore.Outcome;
import io.quarry.coordinator.thread.Deadline;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.apache.zookeeper.KeeperException.Code;
import org.jspecify.annotations.Nullable;

/**
 * Puts fixes into a queue and takes them out. Writers are serialized by the version of the queue's
 * directory. So a fix is queued once and the queue stays within its limit, even with two SDMs.
 */
final class QueueWriter {
  private final ZnodeStore store;
  private final QueuePaths paths;

  /** The queue's content at the last look; there may be fewer fixes by now, but not more. */
  private @Nullable Listing known;

  QueueWriter(ZnodeStore store, QueuePaths paths) {
    this.store = store;
    this.paths = paths;
  }

  /**
   * @param also makes further writes, given the name of the new znode, for the same transaction
   */
  synchronized Enqueued enqueue(FixEntry fix, String nonce, Function<String, List<Write>> also)
      throws ClusterUnavailableException {
    String name = Znodes.fixName(fix.fixId(), nonce);
    byte[] content = paths.fixes().encode(fix);
    List<Write> more = also.apply(name);
    return store.retrying(deadline -> {
      try {
        return attempt(deadline, fix.fixId(), name, content, more);
      } catch (ClusterUnavailableException unavailable) {
        known = null;
        throw unavailable;
      }
    });
  }

  /** False if the fix was gone already. */
  boolean remove(String name) throws ClusterUnavailableException {
    return store.retrying(deadline -> {
      while (true) {
        Optional<Znode> fix = store.read(deadline, paths.fix(name));
        if (fix.isEmpty()) {
          return false;
        }
        // A claim made meanwhile changed the version. No other queueing has this name.
        if (store.commit(deadline, Write.delete(paths.fix(name), fix.get().version())).done()) {
          return true;
        }
      }
    });
  }

  private Enqueued attempt(
      Deadline deadline, String fixId, String name, byte[] content, List<Write> more)
      throws ClusterUnavailableException {
    while (true) {
      Listing before = known;
      Listing listing = before == null || before.refuses(fixId) ? list(deadline) : before;
      known = listing;
      String queuedAs = listing.names().get(fixId);
      if (queuedAs != null) {
        // After a lost reply the fix is there by this agent's own write.
        return queuedAs.equals(name) ? Enqueued.QUEUED : Enqueued.ALREADY_QUEUED;
      }
      if (listing.full()) {
        return Enqueued.FULL;
      }
      List<Write> writes = new ArrayList<>();
      writes.add(Write.replace(paths.fixes().path(), new byte[0], listing.version()));
      writes.add(Write.create(paths.fix(name), content));
      writes.addAll(more);
      Outcome outcome = store.commit(deadline, writes);
      if (outcome.done()) {
        known = listing.with(fixId, name);
        return Enqueued.QUEUED;
      }
      known = null;
      if (outcome.code() == Code.NONODE) {
        paths.ensure(store, deadline);
      }
    }
  }

  private Listing list(Deadline deadline) throws ClusterUnavailableException {
    Optional<Children> children = store.children(deadline, paths.fixes().path());
    if (children.isEmpty()) {
      paths.ensure(store, deadline);
      return list(deadline);
    }
    Map<String, String> names = new HashMap<>();
    children.get().names().forEach(name -> names.put(Znodes.fixIdOf(name), name));
    return new Listing(children.get().version(), names);
  }

  /**
   * @param names by fix id
   */
  private record Listing(int version, Map<String, String> names) {
    boolean full() {
      return names.size() >= FixQueue.QUEUED_FIXES_MAX;
    }

    boolean refuses(String fixId) {
      return full() || names.containsKey(fixId);
    }

    Listing with(String fixId, String name) {
      names.put(fixId, name);
      return new Listing(version + 1, names);
    }
  }
}
