package io.quarry.coordinator.log;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This agent's copy of a repository's state. Reads are served from it without touching the storage.
 * One thread follows the log: at once when somebody hints that it has moved, slowly otherwise; the
 * SDM on this host hands its commits over directly.
 */
public final class Replica implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Replica.class);

  /** The fallback when no hint arrives. */
  private static final Duration POLL = Duration.ofSeconds(1);

  /** A damaged log is replayed whole to see whether somebody has brought the file back. */
  private static final Duration DAMAGED_POLL = Duration.ofSeconds(30);

  private final String name;
  private final LogReader reader;
  private final Thread follower;
  private final CopyOnWriteArrayList<Consumer<LogState>> listeners = new CopyOnWriteArrayList<>();

  /** Guards the fields below; signalled at each change of them. */
  private final Object lock = new Object();

  /** Held while listeners are told, so that they hear of states in the order of the log. */
  private final Object order = new Object();

  private volatile LogState state;
  private volatile @Nullable LogUnreadableException unreadable;
  private volatile @Nullable IOException trouble;
  private long hinted;

  /** The newest that was ever hinted at; the other one is forgotten when the follower looks. */
  private long announced;

  private boolean poke;
  private boolean closed;

  /**
   * Replays the log; a damaged one leaves a replica that says so. It does not {@link #follow} yet.
   *
   * @param name of the repository, for threads and messages
   */
  public Replica(String name, SlotStore store) throws IOException {
    this(name, new LogReader(store));
  }

  Replica(String name, LogReader reader) throws IOException {
    this.name = name;
    this.reader = reader;
    this.state = LogState.EMPTY;
    try {
      this.state = reader.load();
    } catch (LogUnreadableException e) {
      note(e);
    }
    this.follower =
        Thread.ofPlatform().name("replica-" + name).daemon(true).unstarted(this::keepUp);
  }

  /** Keeps up with the log from now on. */
  public void follow() {
    follower.start();
  }

  /** The repository's, for threads and messages. */
  public String name() {
    return name;
  }

  public LogState state() {
    return state;
  }

  /** Why the log cannot be replayed here, or null. */
  public @Nullable LogUnreadableException unreadable() {
    return unreadable;
  }

  /** Why the log could not be read lately, or null. */
  public @Nullable IOException trouble() {
    return trouble;
  }

  /** Called with each new state, on the thread that brought it: enqueue only. */
  public void onChange(Consumer<LogState> listener) {
    listeners.add(listener);
  }

  /** Somebody says that the log has reached this sequence number. */
  public void hint(long sequence) {
    synchronized (lock) {
      announced = Math.max(announced, sequence);
      if (sequence > hinted) {
        hinted = sequence;
        lock.notifyAll();
      }
    }
  }

  /** Whether somebody has said that the log goes on after what is known here. */
  public boolean behind() {
    synchronized (lock) {
      return announced > state.sequence();
    }
  }

  /** The SDM on this host has committed. */
  public void advance(LogState newer) {
    synchronized (order) {
      synchronized (lock) {
        if (newer.sequence() <= state.sequence()) {
          return;
        }
        state = newer;
        lock.notifyAll();
      }
      for (Consumer<LogState> listener : listeners) {
        listener.accept(newer);
      }
    }
  }

  /** Reads the log to its end, whatever is known: the answer is as new as this call. */
  public LogState refresh() throws IOException {
    LogUnreadableException known = unreadable;
    if (known != null) {
      throw known;
    }
    advance(reader.catchUp(state));
    return state;
  }

  /**
   * The state, once no power cut takes anything of it back: what is answered from it, and not by an
   * SDM, has to stay.
   */
  public LogState durable() throws IOException {
    LogState known = state;
    reader.force(known);
    return known;
  }

  /** Whether the log continues what was seen of it before. */
  public LogReader.Relation relation(Position seen) throws IOException {
    return reader.relation(state, seen);
  }

  /** The first state that fits; the latest there is when the time is up. */
  public LogState await(Predicate<LogState> fits, Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    LogState seen = state;
    while (!fits.test(seen)) {
      synchronized (lock) {
        while (state.sequence() == seen.sequence() && !closed) {
          long left = deadline - System.nanoTime();
          if (left <= 0) {
            return seen;
          }
          try {
            lock.wait(left / 1_000_000, (int) (left % 1_000_000));
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return state;
          }
        }
        if (closed) {
          return state;
        }
        seen = state;
      }
    }
    return seen;
  }

  private void keepUp() {
    while (awaitReason()) {
      try {
        LogState latest = unreadable == null ? reader.catchUp(state) : reader.load();
        if (unreadable != null) {
          LOG.info("The log of {} can be read again", name);
        }
        unreadable = null;
        trouble = null;
        advance(latest);
      } catch (LogUnreadableException e) {
        note(e);
      } catch (IOException e) {
        LOG.warn("Could not read the log of {}: {}", name, e.toString());
        trouble = e;
      } catch (RuntimeException e) {
        LOG.error("Following the log of {} failed", name, e);
      }
    }
  }

  /** The SDM on this host has met damage that the follower has no reason to look for. */
  public void report(LogUnreadableException found) {
    note(found);
  }

  /** Damage may pass: a shared filesystem can be late to show a file, and people restore files. */
  private void note(LogUnreadableException found) {
    LogUnreadableException known = unreadable;
    if (known == null || !String.valueOf(known.getMessage()).equals(found.getMessage())) {
      LOG.error("Repository {} is read-only: {}", name, found.getMessage());
    }
    unreadable = found;
  }

  /** Waits for a hint beyond the state, or the poll interval; false when closed. */
  private boolean awaitReason() {
    Duration poll = unreadable == null ? POLL : DAMAGED_POLL;
    long deadline = System.nanoTime() + poll.toNanos();
    synchronized (lock) {
      while (!closed && !poke && hinted <= state.sequence()) {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
          return true;
        }
        try {
          lock.wait(left / 1_000_000, (int) (left % 1_000_000));
        } catch (InterruptedException e) {
          return false;
        }
      }
      poke = false;
      hinted = Math.min(hinted, state.sequence());
      return !closed;
    }
  }

  /** Makes the follower look at once. */
  public void poke() {
    synchronized (lock) {
      poke = true;
      lock.notifyAll();
    }
  }

  @Override
  public void close() {
    synchronized (lock) {
      closed = true;
      lock.notifyAll();
    }
  }
}
