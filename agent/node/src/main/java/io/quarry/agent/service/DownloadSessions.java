package io.quarry.agent.service;

import io.quarry.agent.fix.FixContext;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.thread.Deadline;
import io.quarry.coordinator.thread.Loop;
import io.quarry.coordinator.thread.Supervisor;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The images that this agent has open for reading. Ranges that are read at the same time share one
 * open. When a caller announced more ranges, the open stays for a moment. So a download of many
 * ranges costs two commits, and maps the image once.
 */
final class DownloadSessions implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DownloadSessions.class);

  /** How long an image stays open for a caller that announced more. */
  private static final Duration IDLE_MAX = Duration.ofSeconds(2);

  private static final Duration ROUND = Duration.ofMillis(500);
  private static final Duration SWEEP = Duration.ofSeconds(30);

  /** Far longer than the commit of an open takes. */
  private static final Duration OPEN_YOUNG = Duration.ofMinutes(1);

  private final Worker self;
  private final Repositories repositories;
  private final StorageIo io;
  private final FixContext context;
  private final LightMends mends;

  /** Opens of this life, from before their commit until after they are closed. */
  private final Set<String> held = ConcurrentHashMap.newKeySet();

  /** The list is the lock for itself and its entries. */
  private final List<Shared> shared = new ArrayList<>();

  private final Loop loop = new Loop("readings", ROUND, this::round);

  /** Only the loop's thread uses this field. */
  private Deadline nextSweep = Deadline.after(SWEEP);

  private static final class Shared {
    private final DownloadSession reading;
    private int users = 1;
    private long idleSinceNanos;

    /** No more callers join, and the last one closes the reading. */
    private boolean retired;

    Shared(DownloadSession reading) {
      this.reading = reading;
    }
  }

  DownloadSessions(
      Worker self,
      Repositories repositories,
      StorageIo io,
      FixContext context,
      LightMends mends,
      Supervisor supervisor) {
    this.self = self;
    this.repositories = repositories;
    this.io = io;
    this.context = context;
    this.mends = mends;
    loop.start(supervisor);
  }

  private void round() {
    try {
      closeIdle();
      if (nextSweep.passed()) {
        nextSweep = Deadline.after(SWEEP);
        sweep();
      }
    } catch (StorageException e) {
      LOG.warn("Images stay open for now: {}", e.toString());
    }
  }

  /** The caller must release the reading; other callers may share it. */
  DownloadSession take(ConnectedRepository repository, String imageId) {
    synchronized (shared) {
      for (Shared one : shared) {
        DownloadSession reading = one.reading;
        if (!one.retired
            && reading.repository() == repository
            && reading.imageId().equals(imageId)) {
          one.users++;
          return reading;
        }
      }
    }
    DownloadSession opened = open(repository, imageId);
    synchronized (shared) {
      shared.add(new Shared(opened));
    }
    return opened;
  }

  private DownloadSession open(ConnectedRepository repository, String imageId) {
    String openId = UUID.randomUUID().toString();
    held.add(openId);
    try {
      return DownloadSession.open(repository, imageId, openId, self, io, context, mends);
    } catch (RuntimeException e) {
      // If the open was committed all the same, the sweep finds it.
      held.remove(openId);
      throw e;
    }
  }

  /**
   * Throws unless the image was kept until now. A caller that reads alone releases the image before
   * it gets the last bytes, so that it can use the image at once.
   */
  void finish(DownloadSession reading) {
    Shared one = find(reading);
    boolean alone;
    synchronized (shared) {
      alone = one != null && one.users == 1;
      if (one != null) {
        one.retired = true;
      }
      if (alone) {
        shared.remove(one);
      }
    }
    if (alone) {
      held.remove(reading.openId());
      reading.closeKept();
    } else {
      reading.requireKept();
    }
  }

  /** The open stays for a moment, for the next range. */
  void release(DownloadSession reading) {
    release(reading, false);
  }

  /** The bytes read last do not count, and no caller is to continue. */
  void retire(DownloadSession reading) {
    release(reading, true);
  }

  private void release(DownloadSession reading, boolean retire) {
    Shared one = find(reading);
    synchronized (shared) {
      if (one == null) {
        return;
      }
      one.users--;
      one.retired |= retire;
      one.idleSinceNanos = System.nanoTime();
    }
    closeUnused();
  }

  private @Nullable Shared find(DownloadSession reading) {
    synchronized (shared) {
      return shared.stream().filter(one -> one.reading == reading).findFirst().orElse(null);
    }
  }

  private void close(DownloadSession reading) {
    reading.close();
    held.remove(reading.openId());
  }

  /** Call this before the repository is disconnected; a range that is being read breaks off. */
  void letGo(ConnectedRepository repository) {
    retireAll(one -> one.reading.repository() == repository);
    for (Open open : opens(repository)) {
      var _ = DownloadSession.close(repository, open.imageId(), open.id());
    }
  }

  private void closeIdle() {
    long now = System.nanoTime();
    retireAll(one -> one.users == 0 && now - one.idleSinceNanos > IDLE_MAX.toNanos());
  }

  private void retireAll(Predicate<Shared> which) {
    synchronized (shared) {
      shared.stream().filter(which).forEach(one -> one.retired = true);
    }
    closeUnused();
  }

  private void closeUnused() {
    List<DownloadSession> unused = new ArrayList<>();
    synchronized (shared) {
      for (Iterator<Shared> all = shared.iterator(); all.hasNext(); ) {
        Shared one = all.next();
        if (one.users == 0 && one.retired) {
          all.remove();
          unused.add(one.reading);
        }
      }
    }
    unused.forEach(this::close);
  }

  /**
   * Closes opens of this life that the log has but this class does not: the commit's answer came
   * too late.
   */
  private void sweep() {
    Instant young = context.clock().instant().minus(OPEN_YOUNG);
    for (ConnectedRepository repository : repositories.all()) {
      for (Open open : opens(repository)) {
        if (!held.contains(open.id()) && open.since().isBefore(young)) {
          LOG.info("Closing image {}, which no call reads", open.imageId());
          var _ = DownloadSession.close(repository, open.imageId(), open.id());
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
    loop.close();
    retireAll(_ -> true);
  }
}
