package io.quarry.agent.chaos;

import io.quarry.common.api.Event;
import io.quarry.common.api.EventStream;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Follows the logs of all repositories from their beginning, by their events. Thread-safe. */
final class LogWatch implements LoggedOutcomes, AutoCloseable {
  private static final Duration WAIT = Duration.ofSeconds(1);
  private static final Duration END_MAX = Duration.ofSeconds(10);

  /** The operations that publish data work. */
  private static final List<String> PUBLISHING =
      List.of("finishMend", "finishReplacement", "finishMergeInPlace");

  /** The operation that proves that a call had no effect. */
  private static final String CANCELLED = "cancelRequest";

  /** A range of commits without events, up to this one. */
  record Gap(String repoId, long upTo) {}

  private final StorageClient client;
  private final History history;
  private final Map<String, List<Effect>> effects = new HashMap<>();
  private final Map<String, Long> commits = new HashMap<>();
  private final Map<String, Long> published = new HashMap<>();
  private final List<Gap> gaps = new ArrayList<>();
  private final Thread thread;
  private volatile boolean closed;

  LogWatch(StorageClient client, History history) {
    this.client = client;
    this.history = history;
    this.thread = Thread.ofVirtual().name("log-watch").start(this::follow);
  }

  private void follow() {
    String since = "0";
    while (!closed) {
      try (EventStream events = client.watchEvents(since)) {
        while (!closed) {
          Event event = events.next(WAIT);
          if (event != null) {
            take(event);
            since = event.eventId() == null ? since : event.eventId();
          }
        }
      } catch (StorageException e) {
        // The client continues after the last event, at any agent that answers.
      }
    }
  }

  private synchronized void take(Event event) {
    switch (event) {
      case Event.Commit commit -> commit(commit);
      case Event.Reset reset -> {
        // For a repository that is new to the watcher the first event is a reset.
        if (reset.commit() > commits.getOrDefault(reset.repoId(), 0L)) {
          gaps.add(new Gap(reset.repoId(), reset.commit()));
          commits.put(reset.repoId(), reset.commit());
        }
      }
      case Event.Start _, Event.Progress _ -> {}
    }
  }

  private void commit(Event.Commit commit) {
    Long last = commits.put(commit.repoId(), commit.commit());
    if (last != null && commit.commit() != last + 1) {
      history.violation(
          "after commit %d of %s, %d is told".formatted(last, commit.repoId(), commit.commit()));
    }
    for (Event.Operation operation : commit.operations()) {
      if (operation.operation().equals(CANCELLED)) {
        continue;
      }
      effects
          .computeIfAbsent(operation.requestId(), key -> new ArrayList<>())
          .add(new Effect(commit.repoId(), commit.commit(), operation.operation(), operation.id()));
      if (PUBLISHING.contains(operation.operation())) {
        for (String imageId : operation.imageIds()) {
          published.put(commit.repoId() + "/" + imageId, System.nanoTime());
        }
      }
    }
  }

  /** Whether data work on the image was published after that moment. */
  synchronized boolean published(@Nullable String repoId, @Nullable String imageId, long since) {
    Long at = published.get(repoId + "/" + imageId);
    return at != null && at > since;
  }

  @Override
  public synchronized List<Effect> effects(String requestId) {
    return List.copyOf(effects.getOrDefault(requestId, List.of()));
  }

  @Override
  public synchronized boolean untold(String repoId, long commit) {
    return gaps.stream().anyMatch(gap -> gap.repoId().equals(repoId) && commit <= gap.upTo());
  }

  synchronized long commit(String repoId) {
    return commits.getOrDefault(repoId, 0L);
  }

  synchronized long commits() {
    return commits.values().stream().mapToLong(Long::longValue).sum();
  }

  @Override
  public void close() {
    closed = true;
    try {
      var _ = thread.join(END_MAX);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    client.close();
  }
}
