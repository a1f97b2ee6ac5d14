package io.quarry.coordinator.cluster;

import io.quarry.coordinator.cluster.DirectoryView.Entry;
import io.quarry.coordinator.cluster.ZnodeStore.Outcome;
import io.quarry.coordinator.thread.Deadline;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import org.apache.zookeeper.KeeperException.Code;

/**
 * Tells replicas that a repository's log has grown. It never goes back: of two publishers the
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

  /** Returns at once; the newest sequence goes out soon, those before it perhaps never. */
  public void publish(long sequence) {
    if (wanted.getAndAccumulate(sequence, Math::max) < sequence) {
      publishSoon();
    }
  }

  /** The highest sequence seen so far, -1 for none. */
  public long head() {
    return seen.get();
  }

  /** Calls back with each higher sequence seen; those in between may be left out. */
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
      // Not written yet, or lost with the ensemble's data.
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
    long target = wanted.get();
    if (target < 0 || !connection.connected()) {
      return;
    }
    publishedAtNanos = System.nanoTime();
    connection.store().retrying(deadline -> raise(deadline, target));
  }

  private boolean raise(Deadline deadline, long target) throws ClusterUnavailableException {
    ZnodeStore store = connection.store();
    String path = directory.child(Znodes.HEAD_NAME);
    byte[] content = directory.encode(new HeadRecord(target));
    while (true) {
      Optional<Znode> current = store.read(deadline, path);
      if (current.isPresent() && sequenceOf(current.get()) >= target) {
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

  private long sequenceOf(Znode znode) {
    try {
      return directory.decode(znode.content()).sequence();
    } catch (IOException unreadable) {
      return -1;
    }
  }
}
