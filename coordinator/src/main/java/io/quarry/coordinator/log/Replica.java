package io.quarry.coordinator.log;

import io.quarry.coordinator.thread.Deadline;
import io.quarry.coordinator.thread.Loop;
import io.quarry.coordinator.thread.Supervisor;
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
 * One thread follows the log: at once after a hint that the log has moved, slowly otherwise. The
 * SDM on this host passes its commits on directly.
 */
public final class Replica implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Replica.class);

  /** How often to look when no hint arrives. */
  private static final Duration POLL = Duration.ofSeconds(1);

  /** How often to replay a damaged log as a whole, in case an operator has restored the file. */
  private static final Duration DAMAGED_POLL = Duration.ofSeconds(30);

  private final String name;
  private final LogReader reader;
  private final Loop follower;
  private final CopyOnWriteArrayList<Consumer<LogState>> listeners = new CopyOnWriteArrayList<>();

  /** Guards the fields below; signalled at each change of a field. */
  private final Object lock = new Object();

  /** Held while listeners are called, so that they get states in the order of the log. */
  private final Object order = new Object();

  private volatile LogState state;
  private volatile @Nullable LogUnreadableException unreadable;
  private volatile @Nullable Throwable trouble;
  private long hinted;

  /**
   * The newest number that was ever hinted at; the follower resets the other field when it looks.
   */
  private long announced;

  private boolean poke;
  private Deadline poll = Deadline.after(POLL);
  private boolean closed;

  /**
   * Replays the log; a replica of a damaged log reports the damage. The replica does not {@link
   * #follow} yet.
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
    this.follower = new Loop("replica-" + name, POLL, this::keepUp);
  }

  /** Keeps up with the log from now on. */
  public void follow(Supervisor supervisor) {
    follower.start(supervisor);
  }

  /** The repository's name, for threads and messages. */
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
  public @Nullable Throwable trouble() {
    return trouble;
  }

  /** The listener gets each new state, on the thread that brought it: enqueue only. */
  public void onChange(Consumer<LogState> listener) {
    listeners.add(listener);
  }

  /** Tells that the log has reached this sequence number. */
  public void hint(long sequence) {
    synchronized (lock) {
      announced = Math.max(announced, sequence);
      if (sequence <= hinted) {
        return;
      }
      hinted = sequence;
    }
    follower.wake();
  }

  /** Whether a hint says that the log is ahead of the state here. */
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
        tell(listener, newer);
      }
    }
  }

  /** An error of one listener must not end a term, or keep the news from other listeners. */
  private void tell(Consumer<LogState> listener, LogState newer) {
    try {
      listener.accept(newer);
    } catch (RuntimeException | Error e) {
      LOG.error("A listener to the log of {} failed", name, e);
    }
  }

  /** Reads the log to its end: the answer is as new as this call. */
  public LogState refresh() throws IOException {
    LogUnreadableException known = unreadable;
    if (known != null) {
      throw known;
    }
    advance(reader.catchUp(state));
    return state;
  }

  /**
   * The state, once no power cut can take any of it back. An answer that does not come from the SDM
   * must rest on such a state.
   */
  public LogState durable() throws IOException {
    LogState known = state;
    reader.force(known);
    return known;
  }

  /** Whether the log continues from an earlier position. */
  public LogReader.Relation relation(Position seen) throws IOException {
    return reader.relation(state, seen);
  }

  /** The first state that fits, or the latest state when the time is up. */
  public LogState await(Predicate<LogState> fits, Duration timeout) {
    Deadline deadline = Deadline.after(timeout);
    LogState seen = state;
    while (!fits.test(seen)) {
      synchronized (lock) {
        try {
          while (state.sequence() == seen.sequence() && !closed) {
            if (!deadline.awaitOn(lock)) {
              return seen;
            }
          }
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          return state;
        }
        if (closed) {
          return state;
        }
        seen = state;
      }
    }
    return seen;
  }

  /**
   * After any error the state here grows old until a try succeeds. Errors other than {@link
   * IOException} count: a record may be too large for the free memory.
   */
  private void keepUp() {
    if (!hasReason()) {
      return;
    }
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
    } catch (RuntimeException | Error e) {
      trouble = e;
      throw e;
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

  /** Whether there is a hint beyond the state, or the last look was long ago. */
  private boolean hasReason() {
    synchronized (lock) {
      boolean reason = poke || hinted > state.sequence() || poll.passed();
      poke = false;
      hinted = Math.min(hinted, state.sequence());
      if (reason) {
        poll = Deadline.after(unreadable == null ? POLL : DAMAGED_POLL);
      }
      return reason;
    }
  }

  /** Makes the follower look at once. */
  public void poke() {
    synchronized (lock) {
      poke = true;
    }
    follower.wake();
  }

  @Override
  public void close() {
    follower.close();
    synchronized (lock) {
      closed = true;
      lock.notifyAll();
    }
  }
}
