package io.quarry.coordinator.cluster;

import io.quarry.coordinator.cluster.ZnodeStore.Outcome;
import io.quarry.coordinator.thread.Deadline;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Names the cluster of a ZooKeeper ensemble and chroot, so that two clusters on one storage can
 * tell each other apart. A wiped ensemble gets the name again from an agent that remembers it.
 */
public final class ClusterIdentity {
  private static final String NAME = "identity";

  private final ClusterConnection connection;
  private final Directory<ClusterRecord> directory;
  private volatile String known = "";

  public ClusterIdentity(ClusterConnection connection) {
    this.connection = connection;
    this.directory = connection.znodes().cluster();
  }

  /**
   * The present name in ZooKeeper.
   *
   * @param fresh makes a name for a cluster that has none
   */
  public String read(Supplier<String> fresh) throws ClusterUnavailableException {
    String id = connection.store().retrying(deadline -> readOrCreate(deadline, fresh));
    known = id;
    return id;
  }

  /** The name of the last read; empty before the first one. */
  public String known() {
    return known;
  }

  private String readOrCreate(Deadline deadline, Supplier<String> fresh)
      throws ClusterUnavailableException {
    ZnodeStore store = connection.store();
    String path = directory.child(NAME);
    while (true) {
      Optional<Znode> found = store.read(deadline, path);
      if (found.isPresent()) {
        try {
          return directory.decode(found.get().content()).id();
        } catch (IOException unreadable) {
          throw new ClusterUnavailableException(path + " cannot be read", unreadable);
        }
      }
      String id = known.isEmpty() ? fresh.get() : known;
      store.ensure(deadline, directory.path());
      Outcome outcome =
          store.commit(deadline, Write.create(path, directory.encode(new ClusterRecord(id))));
      if (outcome.done()) {
        return id;
      }
    }
  }
}
