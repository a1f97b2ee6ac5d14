package io.quarry.coordinator.cluster;

import io.quarry.coordinator.cluster.DirectoryView.Entry;
import io.quarry.coordinator.cluster.ZnodeStore.Children;
import io.quarry.coordinator.thread.Deadline;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderLatch.CloseMode;
import org.apache.curator.framework.recipes.leader.LeaderLatchListener;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The election of one repository's SDM, by Curator's {@link LeaderLatch}. The election makes
 * failover fast; safety comes from the commit log.
 *
 * <p>An outage deposes no leader: it learns that it lost the role only when the connection is back
 * and another agent leads. Runs on the thread {@code quarry-election-...}.
 */
public final class Election implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Election.class);
  private static final Duration PERIOD = Duration.ofSeconds(2);

  /** A connected latch without a node for this long lost the node in a race, and is replaced. */
  private static final Duration NODELESS_MAX = Duration.ofSeconds(5);

  private static final int SEQUENCE_DIGITS = 10;

  private final ClusterConnection connection;
  private final Directory<Candidate> directory;
  private final Candidate self;
  private final ElectionListener listener;
  private final Listeners<Runnable> leaderListeners = new Listeners<>();
  private final DirectoryView<Candidate> view;
  private final ClusterLoop loop;
  private volatile boolean standing;
  private volatile String standDownReason = "the election was closed";
  private volatile Optional<Candidate> leader = Optional.empty();
  private volatile boolean leading;

  // Only the loop's thread:
  private @Nullable LeaderLatch latch;
  private long nodelessSinceNanos;

  /** Only shows the leader until {@link #start}. */
  public Election(
      ClusterConnection connection,
      String repositoryKey,
      Candidate self,
      ElectionListener listener) {
    this.connection = connection;
    this.directory = connection.znodes().candidates(repositoryKey);
    this.self = self;
    this.listener = listener;
    this.loop = new ClusterLoop(Threads.name("election", repositoryKey), PERIOD, this::step);
    this.view = new DirectoryView<>(connection, directory, loop::wake);
  }

  /** Follows the election as a candidate. */
  public void start() {
    standing = true;
    loop.start(connection);
  }

  /** Follows the election without being a candidate. */
  public void follow() {
    loop.start(connection);
  }

  /** Becomes a candidate again after {@link #standDown}. */
  public void stand() {
    standing = true;
    loop.wake();
  }

  /** Gives up the role or the candidature, say because the storage does not answer. */
  public void standDown(String reason) {
    standDownReason = reason;
    standing = false;
    loop.wake();
  }

  /** Whether this agent was elected and not deposed since. */
  public boolean leading() {
    return leading;
  }

  /** The leader; the last known one while ZooKeeper is unreachable. */
  public Optional<Candidate> leader() {
    return leader;
  }

  /** The present candidates, by ZooKeeper's word: their sessions live. */
  public List<Candidate> candidates() throws ClusterUnavailableException {
    Collection<Znode> nodes = connection.store().retrying(this::readAll);
    List<Candidate> candidates = new ArrayList<>();
    for (Znode node : nodes) {
      try {
        candidates.add(directory.decode(node.content()));
      } catch (IOException unreadable) {
        LOG.debug("A candidate of {} is not readable", directory.path(), unreadable);
      }
    }
    return candidates;
  }

  private Collection<Znode> readAll(Deadline deadline) throws ClusterUnavailableException {
    ZnodeStore store = connection.store();
    Optional<Children> children = store.children(deadline, directory.path());
    return children.isEmpty()
        ? List.of()
        : store.readAll(deadline, directory.path(), children.get().names()).values();
  }

  /** Runs {@code changed} on the election's thread after each change of {@link #leader()}. */
  public Subscription onLeaderChange(Runnable changed) {
    return leaderListeners.add(changed);
  }

  /** Leaves the election; deposes first if this agent leads. */
  @Override
  public void close() {
    standing = false;
    loop.close();
    view.close();
    retire("the election was closed");
  }

  private void step() throws ClusterUnavailableException {
    if (standing && latch == null) {
      enter();
    } else if (!standing && latch != null) {
      retire(standDownReason);
    }
    view.step();
    judge();
    Optional<Candidate> now = first().map(Entry::value);
    if (!now.equals(leader) && view.current()) {
      leader = now;
      leaderListeners.each(Runnable::run);
    }
  }

  /** Compares the latch's state with the last call of the listener. */
  private void judge() {
    LeaderLatch current = latch;
    if (current == null) {
      return;
    }
    boolean latched = current.hasLeadership();
    Optional<Entry<Candidate>> first = first();
    if (latched && !leading) {
      ownNode(current).ifPresent(own -> elect(own.znode().createdAt()));
    } else if (!latched
        && leading
        && view.current()
        && first.isPresent()
        && !first.get().value().incarnation().equals(self.incarnation())) {
      depose(first.get().value().hostId() + " leads now");
    }
    replaceIfNodeless(current);
  }

  private void elect(long electionNumber) {
    leading = true;
    LOG.info("Elected for {} (number {})", directory.path(), electionNumber);
    callback(() -> listener.elected(electionNumber));
  }

  private void depose(String reason) {
    leading = false;
    LOG.info("Deposed for {}: {}", directory.path(), reason);
    callback(() -> listener.deposed(reason));
  }

  private static void callback(Runnable call) {
    try {
      call.run();
    } catch (RuntimeException | Error failure) {
      LOG.error("An election listener failed", failure);
    }
  }

  private void enter() throws ClusterUnavailableException {
    String id = new String(directory.encode(self), StandardCharsets.UTF_8);
    LeaderLatch fresh =
        new LeaderLatch(connection.curator(), directory.path(), id, CloseMode.SILENT);
    fresh.addListener(
        new LeaderLatchListener() {
          @Override
          public void isLeader() {
            loop.wake();
          }

          @Override
          public void notLeader() {
            loop.wake();
          }
        });
    try {
      fresh.start();
    } catch (Exception failure) {
      throw new ClusterUnavailableException("could not enter the election", failure);
    }
    latch = fresh;
    nodelessSinceNanos = System.nanoTime();
  }

  private void retire(String reason) {
    leave();
    if (leading) {
      depose(reason);
    }
  }

  private void leave() {
    LeaderLatch current = latch;
    latch = null;
    if (current != null) {
      try {
        current.close();
      } catch (IOException | RuntimeException failure) {
        LOG.debug("Leaving the election of {}", directory.path(), failure);
      }
    }
  }

  private void replaceIfNodeless(LeaderLatch current) {
    if (!view.current() || ownNode(current).isPresent()) {
      nodelessSinceNanos = System.nanoTime();
    } else if (System.nanoTime() - nodelessSinceNanos > NODELESS_MAX.toNanos()) {
      LOG.warn("The candidate of {} has no node; it stands anew", directory.path());
      leave();
      loop.wake();
    }
  }

  private Optional<Entry<Candidate>> ownNode(LeaderLatch current) {
    String path = current.getOurPath();
    return path == null ? Optional.empty() : view.find(Znodes.nameOf(path));
  }

  /** The candidate with the lowest sequence number leads, or is about to. */
  private Optional<Entry<Candidate>> first() {
    return view.entries().values().stream()
        .min(Comparator.comparing((Entry<Candidate> entry) -> sequence(entry.name())));
  }

  private static String sequence(String name) {
    return name.substring(Math.max(0, name.length() - SEQUENCE_DIGITS));
  }
}
