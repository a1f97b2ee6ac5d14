package io.quarry.agent.service;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.Event;
import io.quarry.common.api.PageRoom;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.Limits;
import io.quarry.coordinator.log.CommitHistory;
import io.quarry.coordinator.log.CommitHistory.Commit;
import io.quarry.coordinator.log.CommitHistory.Mark;
import io.quarry.coordinator.log.LogRecord;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.Change;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.Semaphore;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells one watcher about one repository's commits, from a mark on. The follower has a virtual
 * thread of its own, which waits for a slow watcher. Records are read on the threads that all calls
 * use for the storage.
 */
final class EventFollower implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(EventFollower.class);

  private static final int COMMITS_AT_ONCE_MAX = 32;
  private static final Duration ROUND = Duration.ofSeconds(1);
  private static final Duration TROUBLE_PAUSE = Duration.ofSeconds(1);

  private final ConnectedRepository repository;
  private final CommitHistory history;
  private final StorageIo io;
  private final Semaphore reads;
  private final BlockingQueue<Told> told;
  private final BooleanSupplier wanted;

  /**
   * Only the follower's thread uses this field; null when the watcher does not know the repository
   * yet.
   */
  private @Nullable Mark mark;

  /** An event without a number yet, and the mark that its repository reaches with it. */
  record Told(String key, Mark mark, Event event) {}

  /**
   * @param reads limits how many followers read that repository's log at once
   * @param wanted false when the watcher or the connection is gone
   */
  EventFollower(
      ConnectedRepository repository,
      @Nullable Mark mark,
      StorageIo io,
      Semaphore reads,
      BlockingQueue<Told> told,
      BooleanSupplier wanted) {
    this.repository = repository;
    this.mark = mark;
    this.history = new CommitHistory(repository.storage().slots());
    this.io = io;
    this.reads = reads;
    this.told = told;
    this.wanted = wanted;
  }

  @Override
  public void run() {
    try {
      while (wanted.getAsBoolean()) {
        try {
          Mark at = mark;
          if (at == null) {
            reset();
          } else {
            goOn(at);
          }
        } catch (StorageException e) {
          LOG.debug("Events of {} have to wait: {}", repository.repoId(), e.getMessage());
          Thread.sleep(TROUBLE_PAUSE);
        } catch (RuntimeException | Error e) {
          LOG.error("Telling events of {} failed", repository.repoId(), e);
          Thread.sleep(TROUBLE_PAUSE);
        }
      }
    } catch (InterruptedException e) {
      LOG.debug("A watcher of {} is gone", repository.repoId());
    }
  }

  private void goOn(Mark at) throws InterruptedException {
    LogState state = repository.replica().await(now -> now.sequence() != at.sequence(), ROUND);
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    if (state.sequence() < at.sequence()) {
      // Another agent was ahead of this agent's replica, or the log was replaced.
      state = read(() -> repository.replica().refresh());
      if (state.sequence() < at.sequence()) {
        reset();
      }
      return;
    }
    if (state.sequence() == at.sequence()) {
      if (!wanted.getAsBoolean()) {
        return;
      }
      Mark now = Mark.of(state.position());
      if (!now.equals(at)) {
        reset();
      }
      return;
    }
    long newest = state.sequence();
    Optional<List<Commit>> commits =
        read(() -> Optional.ofNullable(history.after(at, newest, COMMITS_AT_ONCE_MAX)));
    if (commits.isEmpty()) {
      leadOver(at);
      return;
    }
    for (Commit commit : commits.get()) {
      tell(commit.mark(), event(commit.record()));
    }
    if (commits.get().isEmpty()) {
      // A shared filesystem may show an old state of a directory.
      Thread.sleep(TROUBLE_PAUSE);
    }
  }

  private <T> T read(Callable<T> reading) throws InterruptedException {
    reads.acquire();
    try {
      return io.call(repository, reading);
    } finally {
      reads.release();
    }
  }

  /**
   * Skips the records that a checkpoint has freed, and tells all records that the log still has.
   */
  private void leadOver(Mark at) throws InterruptedException {
    Optional<Mark> oldest = read(() -> Optional.ofNullable(history.oldest()));
    if (oldest.isEmpty() || oldest.get().sequence() <= at.sequence()) {
      // The log was replaced.
      reset();
      return;
    }
    Mark mark = oldest.get();
    tell(mark, new Event.Reset(null, repository.repoId(), mark.sequence()));
  }

  private void reset() throws InterruptedException {
    LogState state = repository.state();
    tell(Mark.of(state.position()), new Event.Reset(null, repository.repoId(), state.sequence()));
  }

  private void tell(Mark upTo, Event event) throws InterruptedException {
    told.put(new Told(repository.key(), upTo, event));
    mark = upTo;
  }

  private Event event(LogRecord record) {
    return event(repository.repoId(), record);
  }

  /** An event has a size limit, as a page has; the event only counts changes beyond the limit. */
  static Event.Commit event(String repoId, LogRecord record) {
    PageRoom room = new PageRoom(Limits.PAGE_BYTES_MAX);
    return new Event.Commit(
        null,
        repoId,
        record.sequence(),
        record.time(),
        record.entries().stream().map(entry -> operation(entry, room)).toList());
  }

  private static Event.Operation operation(LogRecord.Entry entry, PageRoom room) {
    Set<String> images = new LinkedHashSet<>();
    for (Change change : entry.changes()) {
      switch (change) {
        case Change.PutImage put -> images.add(put.image().id());
        case Change.DropImage drop -> images.add(drop.id());
        case Change.PutVolume put -> images.add(put.volume().imageId());
        case Change.PutPin put -> images.add(put.pin().imageId());
        case Change.PutOpen put -> images.add(put.open().imageId());
        case Change.PutFix put -> {
          String image = put.fix().imageId();
          if (image != null) {
            images.add(image);
          }
        }
        case Change.DropVolume _,
            Change.DropFix _,
            Change.DropPin _,
            Change.DropOpen _,
            Change.PutFeature _,
            Change.PutExtension _,
            Change.PutPool _,
            Change.PutAllocation _,
            Change.DropAllocation _,
            Change.PutMapping _,
            Change.DropMapping _,
            Change.PutEpoch _,
            Change.DropEpochs _ -> {}
      }
    }
    List<String> told = images.stream().takeWhile(room::take).toList();
    int omitted = images.size() - told.size();
    return new Event.Operation(
        entry.reply().operation(),
        entry.reply().id(),
        entry.requestId(),
        told,
        omitted == 0 ? null : omitted);
  }
}
