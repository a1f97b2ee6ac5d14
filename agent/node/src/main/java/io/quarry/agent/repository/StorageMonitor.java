package io.quarry.agent.repository;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.thread.Loop;
import io.quarry.coordinator.thread.Supervisor;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether a storage answers at all. A thread of its own asks it for next to nothing, again and
 * again. While the answer is overdue nobody else on this host need ask: calls are refused at once,
 * those that wait are told, and no further thread gets stuck. The first answer ends that. An error
 * is an answer, and the fault of the storage until the next one.
 */
public final class StorageMonitor implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StorageMonitor.class);

  /** Nothing has to be forced for the answer, so a storage that is only busy is faster. */
  static final Duration PATIENCE = Duration.ofSeconds(3);

  /** After so long, work that other hosts can do is theirs. */
  static final Duration GIVE_UP = Duration.ofSeconds(8);

  private static final Duration PAUSE = Duration.ofMillis(500);

  /** What the storage is asked. */
  @FunctionalInterface
  interface Question {
    void ask() throws IOException;
  }

  private final String name;
  private final Question question;
  private final Duration patience;
  private final Loop loop;
  private volatile @Nullable IOException fault;
  private boolean asking;
  private long askedNanos;

  /** Done while the answer is overdue. */
  private CompletableFuture<Void> hang = new CompletableFuture<>();

  /**
   * @param name of the repository, for its thread and messages
   */
  StorageMonitor(String name, Question question) {
    this(name, question, PATIENCE);
  }

  StorageMonitor(String name, Question question, Duration patience) {
    this.name = name;
    this.question = question;
    this.patience = patience;
    this.loop = new Loop("pulse-" + name, PAUSE, this::round);
  }

  void start(Supervisor supervisor) {
    loop.start(supervisor);
  }

  private void round() {
    begin();
    try {
      question.ask();
      note(null);
    } catch (IOException e) {
      // A full storage does its work: images are removed from it.
      note(FileFailure.kindOf(e) == FileFailure.Kind.NO_SPACE ? null : e);
    } catch (RuntimeException e) {
      LOG.debug("The storage of {} cannot be asked", name, e);
    } finally {
      answered();
    }
  }

  private void note(@Nullable IOException now) {
    if ((now == null) != (fault == null)) {
      LOG.warn("The storage of {} {}", name, now == null ? "works again" : "fails: " + now);
    }
    fault = now;
  }

  /** What the storage answered last, if that was an error; null while it works. */
  public @Nullable IOException fault() {
    return fault;
  }

  /** What callers are told while the storage fails; null while it works. */
  public @Nullable StorageException failing() {
    IOException now = fault;
    return now == null
        ? null
        : new StorageException(
            ErrorCode.SDM_UNAVAILABLE,
            "the storage of " + name + " fails on this host: " + now.getMessage(),
            name,
            FileFailure.remedyOf(now),
            now);
  }

  private synchronized void begin() {
    asking = true;
    askedNanos = System.nanoTime();
  }

  private synchronized void answered() {
    if (hang.isDone()) {
      LOG.info("The storage of {} answers again, after {} s", name, silence().toSeconds());
      hang = new CompletableFuture<>();
    }
    asking = false;
  }

  /** To be called again and again: the thread that asks cannot tell that it hangs. */
  void look() {
    CompletableFuture<Void> overdue;
    synchronized (this) {
      if (hang.isDone() || silence().compareTo(patience) <= 0) {
        return;
      }
      overdue = hang;
    }
    LOG.warn("The storage of {} does not answer", name);
    overdue.complete(null);
  }

  /** For how long an answer has been due; zero when none is. */
  synchronized Duration silence() {
    return asking ? Duration.ofNanos(System.nanoTime() - askedNanos) : Duration.ZERO;
  }

  /** Whether it may be asked for anything. */
  synchronized boolean responsive() {
    return !hang.isDone();
  }

  /** Done as soon as the storage is found to hang; another one after it has answered again. */
  public synchronized CompletableFuture<Void> hang() {
    return hang;
  }

  /** Refuses at once what would have to wait for a storage that hangs. */
  public void requireResponsive() {
    if (!responsive()) {
      throw unresponsive();
    }
  }

  public StorageException unresponsive() {
    return new StorageException(
        ErrorCode.REPOSITORY_UNRESPONSIVE,
        "the storage of " + name + " does not answer on this host",
        name,
        "ask another agent, or repeat the call when the storage is back");
  }

  @Override
  public void close() {
    loop.close();
  }
}
