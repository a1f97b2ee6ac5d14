package io.quarry.agent.service;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.EventStream;
import io.quarry.common.api.TaskInfo;
import io.quarry.coordinator.log.CommitHistory.Mark;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Tells watchers what happens in the repositories that are connected here. */
final class Events {
  /** The reads of one hanging storage must not take all threads for storages. */
  private static final int READS_PER_REPOSITORY_MAX = 2;

  private static final String BEGINNING = "0";

  private final Supplier<List<ConnectedRepository>> repositories;
  private final Supplier<List<TaskInfo>> tasks;
  private final StorageIo io;
  private final Map<String, Semaphore> reads = new ConcurrentHashMap<>();

  Events(
      Supplier<List<ConnectedRepository>> repositories,
      Supplier<List<TaskInfo>> tasks,
      StorageIo io) {
    this.repositories = repositories;
    this.tasks = tasks;
    this.io = io;
  }

  EventStream watch(@Nullable String since) {
    return new EventWatch(cursor(since), repositories, tasks, this::follow);
  }

  private EventCursor cursor(@Nullable String since) {
    if (since != null && !since.equals(BEGINNING)) {
      return EventCursor.parse(since);
    }
    EventCursor cursor = EventCursor.NOTHING;
    for (ConnectedRepository repository : repositories.get()) {
      Mark mark = since == null ? Mark.of(repository.state().position()) : Mark.START;
      cursor = cursor.with(repository.key(), mark);
    }
    return cursor;
  }

  private Thread follow(ConnectedRepository repository, EventWatch watch) {
    return Thread.ofVirtual()
        .name("events-" + repository.repoId())
        .start(
            new EventFollower(
                repository,
                watch.cursor().mark(repository.key()),
                io,
                reads.computeIfAbsent(
                    repository.key(), key -> new Semaphore(READS_PER_REPOSITORY_MAX)),
                watch.told(),
                () -> watch.follows(repository)));
  }
}
