package io.quarry.coordinator.cluster;

import io.quarry.coordinator.cluster.ClusterConnection.Attachment;
import io.quarry.coordinator.cluster.ZnodeStore.Children;
import io.quarry.coordinator.thread.Deadline;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A local copy of a directory's children, kept by one persistent recursive watch and a periodic
 * comparison. The copy keeps its last content while ZooKeeper is unreachable.
 *
 * <p>Curator's cache compares data versions and child counters only. A node deleted and made again
 * during an outage (or after a wipe) has the same numbers. That cache would take the new node for
 * the old one. Here every new connection reads everything again, and a node's identity includes the
 * transaction that created it.
 *
 * <p>{@link #step} belongs to its owner's loop; the watch only notes names and wakes that loop.
 */
final class DirectoryView<T> implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DirectoryView.class);
  private static final Duration RECONCILE_PERIOD = Duration.ofSeconds(30);

  private final ClusterConnection connection;
  private final Directory<T> directory;
  private final Runnable wake;
  private final Watcher watcher = this::noted;
  private final Subscription reconnected;

  /** Events of the watch since the last step; guarded by itself. */
  private final Map<String, EventType> pending = new LinkedHashMap<>();

  private volatile Map<String, Entry<T>> entries = Map.of();
  private volatile @Nullable Loaded loaded;
  private @Nullable Attachment watched;
  private long reconciledAtNanos;

  DirectoryView(ClusterConnection connection, Directory<T> directory, Runnable wake) {
    this.connection = connection;
    this.directory = directory;
    this.wake = wake;
    this.reconnected = connection.onReconnected(wake);
  }

  record Loaded(long epoch, long atNanos) {}

  record Entry<T>(String name, T value, Znode znode) {}

  Map<String, Entry<T>> entries() {
    return entries;
  }

  Optional<Entry<T>> find(String name) {
    return Optional.ofNullable(entries.get(name));
  }

  /** The connection in which the content was read completely; later changes came by the watch. */
  Optional<Loaded> loaded() {
    return Optional.ofNullable(loaded);
  }

  /** Whether the content is of the present connection, and not from before an outage. */
  boolean current() {
    Loaded state = loaded;
    try {
      return state != null
          && connection.attachment().map(now -> now.epoch() == state.epoch()).orElse(false);
    } catch (ClusterUnavailableException closed) {
      return false;
    }
  }

  /** Reads one name again, for a caller that found a change before the watch did. */
  void refresh(String name) {
    note(name, EventType.NodeDataChanged);
  }

  /** Brings the copy up to date; true if the content changed. */
  boolean step() throws ClusterUnavailableException {
    Optional<Attachment> attachment = connection.attachment();
    if (attachment.isEmpty()) {
      return false;
    }
    Deadline deadline = Deadline.after(ClusterConnection.CALL_DEADLINE);
    Loaded state = loaded;
    boolean changed;
    if (state == null || state.epoch() != attachment.get().epoch()) {
      watch(deadline, attachment.get());
      changed = reload(deadline, attachment.get());
    } else if (System.nanoTime() - reconciledAtNanos > RECONCILE_PERIOD.toNanos()) {
      changed = reconcile(deadline);
    } else {
      changed = false;
    }
    return applyPending(deadline) || changed;
  }

  @Override
  public void close() {
    reconnected.close();
    Attachment attachment = watched;
    if (attachment != null && connection.connected()) {
      connection.store().unwatch(attachment, directory.path(), watcher);
    }
  }

  private void watch(Deadline deadline, Attachment attachment) throws ClusterUnavailableException {
    Attachment before = watched;
    if (before == null || !before.handle().equals(attachment.handle())) {
      connection.store().watch(deadline, attachment, directory.path(), watcher);
      watched = attachment;
    }
  }

  private boolean reload(Deadline deadline, Attachment attachment)
      throws ClusterUnavailableException {
    Optional<Children> children = connection.store().children(deadline, directory.path());
    List<String> names = children.map(Children::names).orElse(List.of());
    Map<String, Entry<T>> fresh = new HashMap<>();
    connection
        .store()
        .readAll(deadline, directory.path(), names)
        .forEach((name, znode) -> put(fresh, name, znode));
    loaded = new Loaded(attachment.epoch(), System.nanoTime());
    reconciledAtNanos = System.nanoTime();
    return replace(fresh);
  }

  /** Compares names only: the next connection's reload finds content that changed unseen. */
  private boolean reconcile(Deadline deadline) throws ClusterUnavailableException {
    Optional<Children> children = connection.store().children(deadline, directory.path());
    List<String> names = children.map(Children::names).orElse(List.of());
    Map<String, Entry<T>> before = entries;
    Map<String, Entry<T>> fresh = new HashMap<>(before);
    fresh.keySet().retainAll(names);
    List<String> unknown = names.stream().filter(name -> !before.containsKey(name)).toList();
    connection
        .store()
        .readAll(deadline, directory.path(), unknown)
        .forEach((name, znode) -> put(fresh, name, znode));
    reconciledAtNanos = System.nanoTime();
    boolean changed = replace(fresh);
    if (changed) {
      LOG.debug("{} had changed unseen", directory.path());
    }
    return changed;
  }

  private boolean applyPending(Deadline deadline) throws ClusterUnavailableException {
    Map<String, EventType> batch;
    synchronized (pending) {
      if (pending.isEmpty()) {
        return false;
      }
      batch = new LinkedHashMap<>(pending);
      pending.clear();
    }
    Map<String, Entry<T>> fresh = new HashMap<>(entries);
    Collection<String> toRead =
        batch.keySet().stream().filter(name -> batch.get(name) != EventType.NodeDeleted).toList();
    try {
      Map<String, Znode> read = connection.store().readAll(deadline, directory.path(), toRead);
      batch.keySet().forEach(fresh::remove);
      read.forEach((name, znode) -> put(fresh, name, znode));
    } catch (ClusterUnavailableException | RuntimeException | Error failure) {
      synchronized (pending) {
        batch.forEach(pending::putIfAbsent);
      }
      throw failure;
    }
    return replace(fresh);
  }

  private boolean replace(Map<String, Entry<T>> fresh) {
    Map<String, Entry<T>> before = entries;
    boolean same =
        before.size() == fresh.size()
            && fresh.values().stream()
                .allMatch(entry -> {
                  Entry<T> old = before.get(entry.name());
                  return old != null && old.znode().sameStateAs(entry.znode());
                });
    if (!same) {
      entries = Map.copyOf(fresh);
    }
    return !same;
  }

  private void put(Map<String, Entry<T>> target, String name, Znode znode) {
    try {
      target.put(name, new Entry<>(name, directory.decode(znode.content()), znode));
    } catch (IOException unreadable) {
      LOG.warn("{} is not readable and left out: {}", directory.child(name), unreadable.toString());
      target.remove(name);
    }
  }

  private void noted(WatchedEvent event) {
    String path = event.getPath();
    if (event.getType() == EventType.None || path == null) {
      return;
    }
    if (path.equals(directory.path())) {
      return;
    }
    note(Znodes.nameOf(path), Objects.requireNonNull(event.getType()));
  }

  private void note(String name, EventType type) {
    synchronized (pending) {
      pending.put(name, type);
    }
    wake.run();
  }
}
