package io.quarry.common.client;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Event;
import io.quarry.common.api.EventStream;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Events of any agent that answers. When that agent dies, the next one goes on after the last
 * event. A thread of its own reads ahead a little.
 */
final class RemoteEvents implements EventStream {
  private static final int AHEAD_MAX = 64;
  private static final Duration PAUSE_MIN = Duration.ofMillis(20);
  private static final Duration PAUSE_MAX = Duration.ofSeconds(1);
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final List<URI> agents;
  private final ClientSettings settings;
  private final BlockingQueue<Event> read = new ArrayBlockingQueue<>(AHEAD_MAX);
  private final Thread reader;

  /** Only the reader's, once the reader runs. */
  private @Nullable String last;

  private int agent;
  private boolean started;

  private volatile EventConnection connection;
  private volatile @Nullable StorageException failure;
  private volatile boolean closed;

  private RemoteEvents(List<URI> agents, ClientSettings settings, @Nullable String since) {
    this.agents = agents;
    this.settings = settings;
    this.last = since;
    this.connection = connect();
    this.reader = Thread.ofVirtual().name("events").unstarted(this::run);
  }

  /** Returns when an agent has begun to answer. */
  static RemoteEvents open(List<URI> agents, ClientSettings settings, @Nullable String since) {
    RemoteEvents events = new RemoteEvents(agents, settings, since);
    events.reader.start();
    return events;
  }

  @Override
  public @Nullable Event next(Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    try {
      while (true) {
        long left = Math.max(0, deadline - System.nanoTime());
        Event event = read.poll(Math.min(left, LOOK_NANOS), TimeUnit.NANOSECONDS);
        if (event != null || left == 0) {
          return event;
        }
        StorageException ended = failure;
        if (ended != null && read.isEmpty()) {
          throw ended;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    }
  }

  private void run() {
    try {
      while (!closed) {
        try {
          pass();
        } catch (IOException e) {
          connection.close();
          agent++;
          if (!closed) {
            connection = connect();
          }
        }
      }
    } catch (StorageException e) {
      failure = e;
    } catch (InterruptedException e) {
      // The caller has closed the stream.
    } catch (RuntimeException | Error e) {
      // Without a failure the caller would wait for events for ever.
      failure =
          new StorageException(
              ErrorCode.INTERNAL,
              "Reading events failed: " + e,
              "events",
              "Watch again, from the last event on.",
              e);
    } finally {
      connection.close();
    }
  }

  private void pass() throws IOException, InterruptedException {
    while (!closed) {
      Event event = connection.next();
      if (event == null) {
        continue;
      }
      // The start of a stream at another agent is no event for the caller.
      boolean news = !(event instanceof Event.Start && started);
      started = true;
      if (event.eventId() != null) {
        last = event.eventId();
      }
      if (news) {
        read.put(event);
      }
    }
  }

  /** Asks one agent after the other until one answers, or the deadline is over. */
  private EventConnection connect() {
    long deadline = System.nanoTime() + settings.deadline().toNanos();
    Duration pause = PAUSE_MIN;
    while (true) {
      StorageException trouble;
      URI asked = agents.get(Math.floorMod(agent, agents.size()));
      try {
        return EventConnection.open(asked, last, settings.attemptTimeout());
      } catch (IOException e) {
        trouble =
            new StorageException(
                ErrorCode.AGENT_UNAVAILABLE,
                "No agent that could tell of events answered: " + asked + ": " + e.getMessage(),
                String.join(",", agents.stream().map(URI::toString).toList()),
                "Check the addresses, and that an agent runs there.",
                e);
      } catch (StorageException e) {
        trouble = e;
      }
      agent++;
      if (!trouble.code().retryable() || System.nanoTime() > deadline || !rest(pause)) {
        throw trouble;
      }
      pause = pause.multipliedBy(2).compareTo(PAUSE_MAX) < 0 ? pause.multipliedBy(2) : PAUSE_MAX;
    }
  }

  /** False when the caller has closed the stream. */
  private boolean rest(Duration longest) {
    try {
      TimeUnit.NANOSECONDS.sleep(
          (long) (longest.toNanos() * (0.5 + settings.jitter().getAsDouble() / 2)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return !closed && !Thread.currentThread().isInterrupted();
  }

  @Override
  public void close() {
    closed = true;
    reader.interrupt();
    connection.close();
  }
}
