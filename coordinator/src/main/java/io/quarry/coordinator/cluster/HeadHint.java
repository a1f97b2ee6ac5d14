package io.quarry.coordinator.cluster;

import io.quarry.coordinator.cluster.DirectoryView.Entry;
import io.quarry.coordinator.cluster.ZnodeStore.Outcome;
import io.quarry.coordinator.thread.Deadline;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongConsumer;
import java.util.function.Predicate;
import org.apache.zookeeper.KeeperException.Code;
import org.jspecify.annotations.Nullable;

/**
 * Tells replicas that a repository's log has grown. The hint never goes back: of two publishers the
 * higher one wins. Runs on {@code quarry-head-...} (listeners) and {@code quarry-publish-...}.
 */
public final class HeadHint implements AutoCloseable {
  private static final Duration PERIOD = Duration.ofSeconds(5);

  /** At most 50 writes per second, however many commits there are. */
  private static final Duration PUBLISH_PAUSE = Duration.ofMillis(20);

  private final ClusterConnection connection;
  private final Directory<HeadRecord> directory;
  private final DirectoryView<HeadRecord> view;
  private final Listeners<LongConsumer> listeners = new Listeners<>();
  private final AtomicLong wanted = new AtomicLong(-1);
  private final AtomicLong seen = new AtomicLong(-1);
  private final AtomicReference<@Nullable Canary> wantedCanary = new AtomicReference<>();
  private final ClusterLoop watching;
  private final ClusterLoop publishing;
  private volatile long publishedAtNanos = System.nanoTime() - PUBLISH_PAUSE.toNanos();

  public HeadHint(ClusterConnection connection, String repositoryKey) {
    this.connection = connection;
    this.directory = connection.znodes().head(repositoryKey);
    this.watching = new ClusterLoop(Threads.name("head", repositoryKey), PERIOD, this::follow);
    this.publishing =
        new ClusterLoop(Threads.name("publish", repositoryKey), PERIOD, this::publishWanted);
    this.view = new DirectoryView<>(connection, directory, watching::wake);
  }

  public void start() {
    watching.start(connection);
    publishing.start(connection);
  }

  /** Returns at once; the newest sequence is published soon, earlier ones perhaps never. */
  public void publish(long sequence) {
    if (wanted.getAndAccumulate(sequence, Math::max) < sequence) {
      publishSoon();
    }
  }

  /** Returns at once; the newest canary is published soon, earlier ones perhaps never. */
  public void publish(Canary canary) {
    wantedCanary.set(canary);
    publishSoon();
  }

  /** The newest canary that is known here; empty when there never was one. */
  public Optional<Canary> canary() {
    return view.find(Znodes.CANARY_NAME).map(entry -> entry.value().canary());
  }

  /** The present canary in ZooKeeper. */
  public Optional<Canary> readCanary() throws ClusterUnavailableException {
    String path = directory.child(Znodes.CANARY_NAME);
    return connection
        .store()
        .retrying(deadline -> connection.store().read(deadline, path))
        .map(znode -> recordOf(znode).canary());
  }

  /** The present head in ZooKeeper. */
  public OptionalLong readHead() throws ClusterUnavailableException {
    String path = directory.child(Znodes.HEAD_NAME);
    return connection
        .store()
        .retrying(deadline -> connection.store().read(deadline, path))
        .map(znode -> OptionalLong.of(recordOf(znode).sequence()))
        .orElse(OptionalLong.empty());
  }

  /** Removes head and canary, because an operator says that an older storage is the right one. */
  public void forget() throws ClusterUnavailableException {
    for (String name : List.of(Znodes.CANARY_NAME, Znodes.HEAD_NAME)) {
      String path = directory.child(name);
      var _ =
          connection
              .store()
              .retrying(deadline -> {
                Optional<Znode> found = connection.store().read(deadline, path);
                return found.isEmpty()
                    || connection
                        .store()
                        .commit(deadline, Write.delete(path, found.get().version()))
                        .done();
              });
    }
  }

  /** The highest sequence seen so far, -1 for none. */
  public long head() {
    return seen.get();
  }

  /** The listener gets each higher sequence seen, perhaps not those in between. */
  public Subscription onHeadMoved(LongConsumer listener) {
    return listeners.add(listener);
  }

  @Override
  public void close() {
    publishing.close();
    watching.close();
    view.close();
  }

  private void follow() throws ClusterUnavailableException {
    view.step();
    long now = visible().map(entry -> entry.value().sequence()).orElse(-1L);
    if (now > seen.getAndAccumulate(now, Math::max)) {
      listeners.each(listener -> listener.accept(now));
    }
    if (view.current() && now < wanted.get()) {
      // The hint is not written yet, or lost with the ensemble's data.
      publishSoon();
    }
  }

  private void publishSoon() {
    long since = System.nanoTime() - publishedAtNanos;
    publishing.wakeWithin(Duration.ofNanos(Math.max(0, PUBLISH_PAUSE.toNanos() - since)));
  }

  private Optional<Entry<HeadRecord>> visible() {
    return view.find(Znodes.HEAD_NAME);
  }

  private void publishWanted() throws ClusterUnavailableException {
    if (!connection.connected()) {
      return;
    }
    long target = wanted.get();
    if (target >= 0) {
      publishedAtNanos = System.nanoTime();
      connection
          .store()
          .retrying(deadline ->
              raise(
                  deadline,
                  Znodes.HEAD_NAME,
                  new HeadRecord(target, null),
                  before -> before.sequence() >= target));
    }
    Canary canary = wantedCanary.get();
    if (canary != null) {
      connection
          .store()
          .retrying(deadline ->
              raise(
                  deadline,
                  Znodes.CANARY_NAME,
                  new HeadRecord(0, canary),
                  before -> before.canary() != null && !canary.isNewerThan(before.canary())));
      wantedCanary.compareAndSet(canary, null);
    }
  }

  /** Writes the record unless the present one must stay. */
  private boolean raise(
      Deadline deadline, String name, HeadRecord record, Predicate<HeadRecord> stays)
      throws ClusterUnavailableException {
    ZnodeStore store = connection.store();
    String path = directory.child(name);
    byte[] content = directory.encode(record);
    while (true) {
      Optional<Znode> current = store.read(deadline, path);
      if (current.isPresent() && stays.test(recordOf(current.get()))) {
        return false;
      }
      Outcome outcome =
          store.commit(
              deadline,
              current.isPresent()
                  ? Write.replace(path, content, current.get().version())
                  : Write.create(path, content));
      if (outcome.done()) {
        return true;
      }
      if (outcome.code() == Code.NONODE) {
        store.ensure(deadline, directory.path());
      }
    }
  }

  private HeadRecord recordOf(Znode znode) {
    try {
      return directory.decode(znode.content());
    } catch (IOException unreadable) {
      return new HeadRecord(-1, null);
    }
  }
}
