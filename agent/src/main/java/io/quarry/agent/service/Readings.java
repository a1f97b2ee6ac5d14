package io.quarry.agent.service;

import io.quarry.agent.fix.Surroundings;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Open;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The images that this agent has open to read them. One whose caller announced more stays open for
 * a moment, so that a download of many ranges costs two commits, and maps the image once.
 */
final class Readings implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Readings.class);

  /** How long an image stays open for a caller that announced more. */
  private static final Duration IDLE_MAX = Duration.ofSeconds(2);

  private static final Duration ROUND = Duration.ofMillis(500);
  private static final Duration SWEEP = Duration.ofSeconds(30);

  /** Far longer than the commit of an open takes. */
  private static final Duration OPEN_YOUNG = Duration.ofMinutes(1);

  private final Worker self;
  private final Repositories repositories;
  private final StorageIo io;
  private final Surroundings around;
  private final LightMends mends;

  /** Opens of this life, from before they are committed until after they are closed. */
  private final Set<String> held = ConcurrentHashMap.newKeySet();

  /** Guarded by itself. */
  private final List<Idle> idle = new ArrayList<>();

  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("readings").daemon(true).factory());

  private record Idle(Reading reading, long sinceNanos) {}

  Readings(
      Worker self, Repositories repositories, StorageIo io, Surroundings around, LightMends mends) {
    this.self = self;
    this.repositories = repositories;
    this.io = io;
    this.around = around;
    this.mends = mends;
    repeat(ROUND, this::closeIdle);
    repeat(SWEEP, this::sweep);
  }

  private void repeat(Duration pause, Runnable round) {
    Runnable safe =
        () -> {
          try {
            round.run();
          } catch (RuntimeException e) {
            LOG.warn("Images stay open for now: {}", e.toString());
          }
        };
    var _ =
        timer.scheduleWithFixedDelay(
            safe, pause.toMillis(), pause.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** One that was left for the next range, or null. */
  @Nullable Reading takeIdle(ConnectedRepository repository, String imageId) {
    List<Reading> found =
        removeIdle(
            one ->
                one.reading().repository() == repository && one.reading().imageId().equals(imageId),
            1);
    return found.isEmpty() ? null : found.getFirst();
  }

  Reading open(ConnectedRepository repository, String imageId) {
    String openId = UUID.randomUUID().toString();
    held.add(openId);
    try {
      return Reading.open(repository, imageId, openId, self, io, around, mends);
    } catch (RuntimeException e) {
      // If it was committed all the same, the sweep finds it.
      held.remove(openId);
      throw e;
    }
  }

  void giveIdle(Reading reading) {
    synchronized (idle) {
      idle.add(new Idle(reading, System.nanoTime()));
    }
  }

  /** It has been closed. */
  void forget(Reading reading) {
    held.remove(reading.openId());
  }

  void close(Reading reading) {
    reading.close();
    forget(reading);
  }

  /** Before the repository is disconnected; a range that is being read breaks off. */
  void letGo(ConnectedRepository repository) {
    removeIdle(one -> one.reading().repository() == repository, Integer.MAX_VALUE)
        .forEach(this::close);
    for (Open open : opens(repository)) {
      var _ = Reading.close(repository, open.imageId(), open.id());
    }
  }

  private void closeIdle() {
    long now = System.nanoTime();
    removeIdle(one -> now - one.sinceNanos() > IDLE_MAX.toNanos(), Integer.MAX_VALUE)
        .forEach(this::close);
  }

  private List<Reading> removeIdle(Predicate<Idle> which, int max) {
    List<Reading> removed = new ArrayList<>();
    synchronized (idle) {
      for (Iterator<Idle> all = idle.iterator(); all.hasNext() && removed.size() < max; ) {
        Idle one = all.next();
        if (which.test(one)) {
          all.remove();
          removed.add(one.reading());
        }
      }
    }
    return removed;
  }

  /** Closes what this life has open in the log without knowing it: the answer came too late. */
  private void sweep() {
    Instant young = around.clock().instant().minus(OPEN_YOUNG);
    for (ConnectedRepository repository : repositories.all()) {
      for (Open open : opens(repository)) {
        if (!held.contains(open.id()) && open.since().isBefore(young)) {
          LOG.info("Closing image {}, which nobody reads", open.imageId());
          var _ = Reading.close(repository, open.imageId(), open.id());
        }
      }
    }
  }

  private List<Open> opens(ConnectedRepository repository) {
    return repository.state().repository().opens().values().stream()
        .filter(open -> self.incarnation().equals(open.incarnation()))
        .toList();
  }

  @Override
  public void close() {
    timer.shutdownNow();
    removeIdle(one -> true, Integer.MAX_VALUE).forEach(this::close);
  }
}
